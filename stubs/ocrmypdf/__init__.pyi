# What ferrocr uses of it; the package itself need not be installed to check types.
from collections.abc import Callable
from typing import TypeVar, overload

F = TypeVar("F", bound=Callable[..., object])

@overload
def hookimpl(function: F) -> F: ...
@overload
def hookimpl(*, tryfirst: bool = False) -> Callable[[F], F]: ...
