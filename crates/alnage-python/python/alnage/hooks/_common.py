"""What hooks have in common: one argument that is a path or a file, and a loader that is given another in its place."""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, Tuple


def is_path(value: Any) -> bool:
    """Whether it names a file."""
    return isinstance(value, (str, bytes, os.PathLike))


def taken(name: str, arguments: Tuple[Any, ...], options: Dict[str, Any]) -> Any:
    """The first argument, which may also be given by name."""
    return arguments[0] if arguments else options.get(name)


def given(name: str, value: Any, arguments: Tuple[Any, ...], options: Dict[str, Any]) -> Any:
    """The arguments with another first one."""
    if arguments:
        return (value, *arguments[1:]), options
    return arguments, {**options, name: value}


def by_path_or_file(
    loader: str, parameter: str, takes: str = "", ending: bool = False, inner: str = ""
) -> Callable[[Any], Callable[[Any], Any]]:
    """A hook of a function whose first argument is a path or a file object.

    `takes` is the format that it takes any file for; with `ending`, it goes by the ending of the name. `inner` is the
    format of the only part of it that can do harm.
    """

    def with_guard(current: Any) -> Callable[[Any], Any]:
        def make(original: Any) -> Any:
            def load(*arguments: Any, **options: Any) -> Any:
                guard = current()
                source = taken(parameter, arguments, options)
                if guard is None or source is None:
                    return original(*arguments, **options)
                if not is_path(source):
                    with guard.stream(loader, source, takes, inner) as held:
                        def read(file: Any) -> Any:
                            changed, more = given(parameter, file, arguments, options)
                            return original(*changed, **more)

                        return read(source) if held is None else held.reading(source, read)
                path = os.fsdecode(source)
                if os.path.isdir(path):
                    with guard.tree(loader, path, code=False):
                        return original(*arguments, **options)
                with guard.file(loader, path, takes, inner) as held:
                    if held is None:
                        return original(*arguments, **options)
                    place = held.named(os.path.basename(path)) if ending else held.path
                    changed, more = given(parameter, place, arguments, options)
                    return original(*changed, **more)

            return load

        return make

    return with_guard
