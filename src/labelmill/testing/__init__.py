"""Promise suites for plugin authors: one file per role, each with a list `PROMISES` of checks.

A promise is a function that takes a factory of the plugin and raises `AssertionError` when the promise is broken::

    from labelmill.testing import label_model
    for promise in label_model.PROMISES:
        promise(MyLabelModel)
"""
