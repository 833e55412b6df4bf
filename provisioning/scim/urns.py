"""The schemas this service provider speaks."""

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
EXTENSION = "urn:ietf:params:scim:schemas:extension:usher:2.0:User"
"""Our own: a mailbox, and what became of the person on the intranet."""

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
