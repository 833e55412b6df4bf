"""scim2-server's contract of a storage, put to a served Usher through its HTTP interface.

What is left out, and why:

| case | why it does not apply |
|---|---|
| `*_does_not_change_the_given_*`, `*_returns_a_copy`, `search_returns_copies` | objects in one process; a request and its answer are text |
| `operation`, `operation_lets_exceptions_through` | a hook between a server and its storage in one process |
| `cursor_at_the_root` | a cursor over several resource types is refused (RFC 9865 2 allows it), by `/.search` with 400 |
| `cursor_pages_back`, `cursor_pages_back_after_a_deletion` | there is no previousCursor, which RFC 9865 2 makes optional |
| the filters in `REFUSED` | compare what has no order or is no text: 400 invalidFilter, which is tested instead |
"""  # noqa: E501

from __future__ import annotations

import pytest
from scim2_models import InvalidFilterException
from scim2_server.testing import SEARCH_FILTERS, ScimStorageContract

from tests.kit.scim_storage import ServedStorage

REFUSED = {"title gt null", 'meta.created co "20"'}


@pytest.fixture(scope="module")
def client(served_usher):
    """A client that has read /Schemas."""
    with served_usher.scim() as client:
        client.discover()
        yield client


class TestContract(ScimStorageContract):
    """S3: each inherited case is a rule of RFC 7644 3, in its docstring."""

    @pytest.fixture
    def provider(self, client):
        """What the served Usher says of itself, so that nothing else is tried."""
        return client.provider

    @pytest.fixture
    def storage(self, client, user_type, group_type):
        """Nobody is there."""
        storage = ServedStorage(client)
        storage.empty([group_type, user_type])
        return storage

    @staticmethod
    def require(supported, feature):
        """A case that does not apply is left out below, never skipped."""
        assert supported, feature

    def search_request_or_skip(self, models, **parameters):
        """The same."""
        return self.search_request(models, **parameters)

    def search_or_skip(self, storage, resource_types, search_request):
        """The same."""
        return self.search(storage, resource_types, search_request)

    @pytest.mark.parametrize(
        "scim_filter", [each for each in SEARCH_FILTERS if each not in REFUSED]
    )
    def test_search_filters_as_the_filter_evaluator(
        self, storage, provider, user_type, user_model, scim_filter
    ):
        """RFC 7644 3.4.2.2: whom the reference finds."""
        super().test_search_filters_as_the_filter_evaluator(
            storage, provider, user_type, user_model, scim_filter
        )

    @pytest.mark.parametrize("scim_filter", sorted(REFUSED))
    def test_what_cannot_be_evaluated_is_refused(self, storage, user_type, user_model, scim_filter):
        """RFC 7644 3.4.2.2: never everyone, and never an empty list."""
        request = self.search_request([user_model], filter=scim_filter)
        with pytest.raises(InvalidFilterException):
            self.search(storage, [user_type], request)

    test_create_does_not_change_the_given_resource = None
    test_create_returns_a_copy = None
    test_get_returns_a_copy = None
    test_update_does_not_change_the_given_resource = None
    test_update_returns_a_copy = None
    test_search_returns_copies = None
    test_operation = None
    test_operation_lets_exceptions_through = None
    test_cursor_at_the_root = None
    test_cursor_pages_back = None
    test_cursor_pages_back_after_a_deletion = None
