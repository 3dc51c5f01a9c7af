import pytest

# These hold fixtures, and `conftest` imports from them before pytest reads them.
pytest.register_assert_rewrite("tests.make.databases", "tests.make.once", "tests.make.quick")
