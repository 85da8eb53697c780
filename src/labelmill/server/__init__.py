"""The door by HTTP: the browser app and the API that it and Python clients use."""
