"""What all JSON of the API has in common: unknown fields are refused, types are not guessed."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["Form", "Nothing"]


class Form(BaseModel):
    """A closed JSON object."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Nothing(Form):
    """An empty object."""
