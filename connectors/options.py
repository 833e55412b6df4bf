"""A source's options, read by the connector's own model: one sentence for the first mistake."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from provisioning.domain.errors import ConfigurationError

Model = TypeVar("Model", bound=BaseModel)


def read_options(model: type[Model], source: str, options: Mapping[str, Any]) -> Model:
    """Return the options of a source.

    Raises:
        ConfigurationError: An option is unknown, missing or impossible.
    """
    try:
        return model.model_validate(dict(options))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        # A misspelled name explains the one that is missing.
        first = min(found, key=lambda each: each["type"] != "extra_forbidden")
        path = [str(part) for part in first["loc"]]
        place = ".".join(("sources", source, *path))
        if first["type"] == "extra_forbidden":
            near = difflib.get_close_matches(path[-1], model.model_fields, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ConfigurationError(f"{place}: there is no such option{hint}") from error
        if first["type"] == "missing":
            raise ConfigurationError(f"{place}: has to be set") from error
        words = str(first["msg"]).removeprefix("Value error, ")
        raise ConfigurationError(f"{place}: {words}") from error
