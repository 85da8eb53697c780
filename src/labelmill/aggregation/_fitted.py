"""Whether a model has been fitted."""

from __future__ import annotations

from labelmill.errors import NotFittedError

__all__ = ["require_fitted"]


def require_fitted(model: object, learned: str, *, votes: str = "answers") -> None:
    """Refuse a model that has not learned yet.

    Parameters
    ----------
    model : object
        The model that was asked.
    learned : str
        An attribute that `fit` sets.
    votes : str
        What `fit` takes, for the message.

    Raises
    ------
    NotFittedError
        If `fit` was never called.
    """
    if not hasattr(model, learned):
        name = type(model).__name__
        raise NotFittedError(f"this {name} is not fitted: call {name}().fit({votes}) first")
