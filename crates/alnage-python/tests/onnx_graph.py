"""A graph that gives back what it is given, written field by field."""


def _field(number, payload):
    return bytes([number << 3 | 2, len(payload)]) + payload


def _number(number, value):
    return bytes([number << 3, value])


def identity_graph():
    """`y = Identity(x)`, one number of 32 bits."""
    shape = _field(2, _field(1, _number(1, 1)))
    kind = _field(2, _field(1, _number(1, 1) + shape))
    node = _field(1, b"x") + _field(2, b"y") + _field(4, b"Identity")
    graph = _field(1, node) + _field(2, b"g") + _field(11, _field(1, b"x") + kind) + _field(12, _field(1, b"y") + kind)
    return _number(1, 8) + _field(7, graph) + _field(8, _number(2, 13))
