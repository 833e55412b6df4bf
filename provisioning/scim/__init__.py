"""The SCIM 2.0 service provider; the only package that knows scim2-models."""
