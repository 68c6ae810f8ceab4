# Runs one Python program, or one call of one of its functions, in a sandbox (rewards/code/python.cpp).
#
# Descriptor 3 holds the request as one line of JSON: {"mode": "script" | "call", "source", "entry", "args", "nonce"}.
# A call's result goes to descriptor 4 as one frame (rewards/code/frame.h). Nothing here is secret from the program: it
# can read and change all of it, and send any frame it likes. What it cannot do is learn what result is expected.
import sys


def import_often_used():
    """Once, before the first run: a forked process has them for nothing."""
    import bisect, collections, copy, datetime, decimal, fractions, functools, heapq, itertools, json, math, operator
    import random, re, statistics, string, threading, traceback, typing, types, enum, dataclasses, abc, io, atexit, cmath
    import numbers, contextlib, textwrap, struct, time, array, queue, hashlib


def wait_for_run(library, folder, readable):
    """Returns once for every run, each time in a forked process that has the run's restrictions on it."""
    import ctypes
    import gc
    gc.freeze()  # collections in forks leave the shared pages alone
    loaded = ctypes.PyDLL(library)
    names = (ctypes.c_char_p * (len(readable) + 1))(*[name.encode() for name in readable], None)
    loaded.r1_serve(3, folder.encode(), names)
    ctypes.pythonapi.PyOS_AfterFork_Child()


def encode(value, depth=0):
    """Plain data as text; by exact type, with the base classes' own methods, so that subclasses count as what they are."""
    if depth > 200:
        raise TypeError("the result is nested deeper than 200 levels")
    kind = type(value)
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return int.__repr__(value)
    if kind is float:
        return float.__repr__(value)
    if kind is str:
        return encode_text(value)
    if isinstance(value, list):
        return "[" + ",".join([encode(item, depth + 1) for item in list.__iter__(value)]) + "]"
    if isinstance(value, tuple):
        return "(" + ",".join([encode(item, depth + 1) for item in tuple.__iter__(value)]) + ")"
    if isinstance(value, dict):
        pairs = [encode(key, depth + 1) + ":" + encode(dict.__getitem__(value, key), depth + 1) for key in dict.__iter__(value)]
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, (set, frozenset)):
        base = set if isinstance(value, set) else frozenset
        return "<" + ",".join([encode(item, depth + 1) for item in base.__iter__(value)]) + ">"
    if kind is complex:
        return "c(" + float.__repr__(value.real) + "," + float.__repr__(value.imag) + ")"
    if kind is bytes or kind is bytearray:
        return 'b"' + value.hex() + '"'
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return float.__repr__(value)
    if isinstance(value, str):
        return encode_text(str.__str__(value))
    if kind.__name__ in ("dict_keys", "dict_values", "dict_items", "range", "deque"):
        raise TypeError(f"the result is a {kind.__name__}, not a list")
    raise TypeError(f"the result is of type {kind.__name__}, which is no plain data")


def encode_text(text):
    import json
    return json.encoder.encode_basestring_ascii(text)


def decode(value):
    """Arguments as the tests' JSON has them, with {"$tuple": [...]} and its kin."""
    if type(value) is list:
        return [decode(item) for item in value]
    if type(value) is not dict:
        return value
    if len(value) == 1:
        (key, inner), = value.items()
        if key == "$tuple":
            return tuple(decode(item) for item in inner)
        if key == "$set":
            return {decode(item) for item in inner}
        if key == "$dict":
            return {decode(pair[0]): decode(pair[1]) for pair in inner}
        if key == "$bytes":
            return bytes.fromhex(inner)
        if key == "$complex":
            return complex(*inner)
        if key == "$float":
            return float(inner)
    return {key: decode(item) for key, item in value.items()}


def find_entry(namespace, name):
    """`f`, or `Solution.f` on a new Solution."""
    first, _, rest = name.partition(".")
    found = namespace[first]
    if isinstance(found, type) and rest:
        found = found()
    for part in rest.split(".") if rest else ():
        found = getattr(found, part)
    return found


def run_call(request, send):
    import typing
    try:
        code = compile(request["source"], "solution.py", "exec")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        return send("syntax", f"{type(error).__name__}: {error}")
    # What signatures of known question sets use without importing it.
    namespace = {name: getattr(typing, name) for name in ("List", "Dict", "Tuple", "Set", "Optional", "Any", "Union", "Callable", "Iterable", "Deque", "DefaultDict")}
    module = type(sys)("solution")
    module.__dict__.update(namespace)
    sys.modules["solution"] = module
    try:
        exec(code, module.__dict__)
        try:
            entry = find_entry(module.__dict__, request["entry"])
        except (KeyError, AttributeError):
            return send("missing", f"there is no {request['entry']}")
        result = entry(*[decode(argument) for argument in request["args"]])
    except MemoryError as error:
        return send("memory", "MemoryError")
    except BaseException as error:
        return send("error", describe(error))
    try:
        text = encode(result)
    except MemoryError:
        return send("memory", "MemoryError")
    except BaseException as error:
        return send("unusable", describe(error))
    send("value", text)


def describe(error):
    try:
        line = ""
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == "solution.py":
                line = f" (line {trace.tb_lineno})"
            trace = trace.tb_next
        return f"{type(error).__name__}: {str(error)[:300]}{line}"
    except BaseException:
        return "an error that cannot be described"


def run_script(request):
    import threading, traceback, types
    sys.argv = ["main.py"]
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    status = 0
    try:
        code = compile(request["source"], "main.py", "exec")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 123
    try:
        exec(code, main.__dict__)
    except SystemExit as end:
        status = end.code if type(end.code) is int else 0 if end.code is None else 1
        if type(end.code) is str:
            sys.stderr.write(end.code + "\n")
    except BaseException as error:
        status = 122 if isinstance(error, MemoryError) else 1
        try:
            traceback.print_exc()
        except BaseException:
            pass
    try:
        threading._shutdown()
    except BaseException:
        status = status or 1
    return status & 255


def main():
    import os
    if sys.argv[1] == "warm":
        import_often_used()
        wait_for_run(sys.argv[2], sys.argv[3], sys.argv[4:])
    import atexit, json
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)
    with open(3, "rb", closefd=False) as file:
        request = json.loads(file.read().decode("utf-8", "surrogateescape"))

    def send(kind, text):
        payload = text.encode("utf-8", "backslashreplace")
        frame = b"R1 %s %s %d\n" % (request["nonce"].encode(), kind.encode(), len(payload)) + payload
        while frame:
            frame = frame[os.write(4, frame):]

    os.close(3)
    status = 0
    if request["mode"] == "call":
        run_call(request, send)
    else:
        os.close(4)
        status = run_script(request)
    try:
        atexit._run_exitfuncs()
        sys.stdout.flush()
    except BaseException:
        status = status or 1
    try:
        sys.stderr.flush()
    finally:
        os._exit(status)


main()
