/** The Python that turns values into lines of JSON and back, on both sides of a conversation (conversation.ts). */

/**
 * Defines `midcourse_plain_data(home, is_judge, talk)`, which returns what encodes and what decodes. An encoded value is None, a boolean, a
 * number, a text or a list whose first entry names its kind. What is decoded is of exact built-in types, or a stand-in that `talk` makes for
 * an object of the other side. Needs Python 3.8.
 */
export const plainDataSource = `
def midcourse_plain_data(home, is_judge, talk):
    import builtins, sys, types
    modules = sys.modules
    kinds = ("bool", "int", "float", "str", "bytes", "bytearray", "complex", "list", "tuple", "dict", "set", "frozenset", "range")
    builtin_types = {name: getattr(builtins, name) for name in kinds + ("object",)}
    library = {"collections": ("deque", "OrderedDict", "Counter", "defaultdict"), "fractions": ("Fraction",), "decimal": ("Decimal",),
               "datetime": ("date", "datetime", "time", "timedelta"), "uuid": ("UUID",)}
    views = {type({}.keys()): "keys", type({}.values()): "values", type({}.items()): "items"}
    mine, numbers, theirs = [], {}, {}

    def place_of(kind):
        for name, members in library.items():
            loaded = modules.get(name)
            if loaded is not None and kind.__name__ in members and getattr(loaded, kind.__name__, None) is kind:
                return name
        return None

    def number_of(value):
        key = id(value)
        if key not in numbers:
            numbers[key] = len(mine)
            mine.append(value)
        return numbers[key]

    def pairs_of(value):
        return [[encode(key), encode(each)] for key, each in dict.items(value)]

    def encode(value, keeps=False):
        kind = type(value)
        if value is None or kind is bool or kind is float or kind is str:
            return value
        if kind is int:
            return value if -2**64 < value < 2**64 else ["big", hex(value)]
        if kind is list:
            return ["list", [encode(each) for each in value]]
        if kind is tuple:
            return ["tuple", [encode(each) for each in value]]
        if kind is dict:
            return ["dict", pairs_of(value)]
        if isinstance(value, talk.Remote):
            return ["yours", object.__getattribute__(value, "_midcourse_number")]
        if kind in views:
            return ["view", views[kind], [encode(each) for each in value]]
        if kind is type and builtin_types.get(value.__name__) is value or value is type(None):
            return ["type", value.__name__]
        if kind is types.ModuleType:
            return ["module", value.__name__]
        if is_judge and kind is types.BuiltinFunctionType and getattr(builtins, value.__name__, None) is value:
            return ["type", value.__name__]
        name = place_of(kind)
        if name is not None:
            if name == "collections":
                content = [encode(each) for each in value] if kind.__name__ == "deque" else pairs_of(value)
            elif kind.__name__ in ("date", "datetime", "time") and getattr(value, "tzinfo", None) is not None:
                return object_of(value)
            elif kind.__name__ == "timedelta":
                content = [value.days, value.seconds, value.microseconds]
            elif name == "datetime":
                content = value.isoformat()
            else:
                content = str(value)
            return ["library", name, kind.__name__, content]
        if keeps and kind.__module__ == home.get("__name__"):
            return object_of(value)
        # A subclass counts by its content alone, whatever it says of itself.
        for base in kind.__mro__:
            if base is bool or base is int:
                return encode(int.__add__(value, 0))
            if base is float:
                return float.__mul__(value, 1.0)
            if base is str:
                return str.__add__(value, "")
            if base is list:
                return ["list", [encode(each) for each in list.__iter__(value)]]
            if base is tuple:
                fields = getattr(kind, "_fields", None)
                content = [encode(each) for each in tuple.__iter__(value)]
                if type(fields) is tuple and len(fields) == len(content):
                    return ["record", kind.__name__, list(fields), content]
                return ["tuple", content]
            if base is dict:
                return ["dict", pairs_of(value)]
            if base is set or base is frozenset:
                return [base.__name__, [encode(each) for each in base.__iter__(value)]]
            if base is bytes or base is bytearray:
                return [base.__name__, base.hex(value)]
            if base is complex:
                value = complex.__pos__(value)
                return ["complex", value.real, value.imag]
            if base is range:
                return ["range", value.start, value.stop, value.step]
        return object_of(value)

    def object_of(value):
        kind = type(value)
        return ["object", number_of(value), kind.__name__, callable(value), hasattr(kind, "__next__"), hasattr(kind, "__await__")]

    def decode(data):
        if data is None or type(data) in (bool, int, float, str):
            return data
        tag = data[0]
        if tag == "list":
            return [decode(each) for each in data[1]]
        if tag == "tuple":
            return tuple([decode(each) for each in data[1]])
        if tag == "dict":
            return {decode(key): decode(each) for key, each in data[1]}
        if tag == "set":
            return {decode(each) for each in data[1]}
        if tag == "frozenset":
            return frozenset([decode(each) for each in data[1]])
        if tag == "big":
            return int(data[1], 16)
        if tag == "bytes":
            return bytes.fromhex(data[1])
        if tag == "bytearray":
            return bytearray.fromhex(data[1])
        if tag == "complex":
            return complex(data[1], data[2])
        if tag == "range":
            return range(data[1], data[2], data[3])
        if tag == "view":
            content = [decode(each) for each in data[2]]
            if data[1] == "keys":
                return dict.fromkeys(content).keys()
            return dict(content).items() if data[1] == "items" else dict(enumerate(content)).values()
        if tag == "type":
            if data[1] == "NoneType":
                return type(None)
            return builtin_types[data[1]] if is_judge else getattr(builtins, data[1])
        if tag == "record":
            from collections import namedtuple
            return namedtuple(str(data[1]), [str(each) for each in data[2]])(*[decode(each) for each in data[3]])
        if tag == "library" and data[2] in library[data[1]]:
            kind = getattr(__import__(data[1]), data[2])
            if data[2] == "deque":
                return kind([decode(each) for each in data[3]])
            if data[1] == "collections":
                made = kind()
                for key, each in data[3]:
                    made[decode(key)] = decode(each)
                return made
            if data[2] == "timedelta":
                return kind(*data[3])
            return kind.fromisoformat(data[3]) if data[1] == "datetime" else kind(data[3])
        if tag == "module":
            return __import__("importlib").import_module(data[1])
        if tag == "yours":
            return mine[data[1]]
        if tag == "object":
            number = data[1]
            if number not in theirs:
                theirs[number] = talk.stand_in(*data[1:])
            return theirs[number]
        raise ValueError("unknown data")

    return encode, decode
`;
