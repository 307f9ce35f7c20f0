"""Runs in a Python that was chosen for the engine and says what it has: ``python looked.py NAME...``.

One line of JSON: its version, the versions of the packages, and why a package that is there does not start. It is
written so that a very old Python can say that it is old.
"""

import importlib
import json
import sys

MODULES = {"pillow": "PIL"}  # the module of a package that is not called like it


def main(names):
    found = {"python": list(sys.version_info[:3]), "packages": {}, "broken": {}}
    if hasattr(sys, "audit"):  # since Python 3.8, which brought importlib.metadata
        look(found, names)
    sys.stdout.write("\n" + json.dumps(found) + "\n")


def look(found, names):
    """Fill in what there is of the packages."""
    from importlib import metadata

    for name in names:
        try:
            found["packages"][name] = metadata.version(name)
            importlib.import_module(str(MODULES.get(name, name)))
        except metadata.PackageNotFoundError:
            continue
        except Exception as error:
            found["broken"][name] = type(error).__name__ + ": " + str(error)


main(sys.argv[1:])
