"""An application wired otherwise than the real one."""

from dataclasses import replace
from typing import Any

from flask import Flask

from ugly_mugs.runtime import runtime
from ugly_mugs.wiring import State


def rewire(app: Flask, **changes: Any) -> None:
    """As if the application had been built with other fields of its `Wiring`; what it kept in memory is gone."""
    held = runtime(app)
    held.wiring = replace(held.wiring, **changes)
    held.process_state = State()
