/**
 * The Python by which a judge in one process speaks with a candidate in another: calls go over, plain data comes back. The process that
 * holds what is expected never runs the candidate's code, and what it compares are exact built-in values that it made itself, so that a
 * program can forge nothing but data. Lines of JSON, one conversation at a time, requests within requests where a function was handed over.
 *
 * Plain data are None, booleans, numbers, text, bytes, lists, tuples, dictionaries, sets and the containers and numbers of the standard library;
 * of a subclass its content alone counts. Anything else stays where it is and has a stand-in on the other side. A stand-in on the judge's side
 * may be called, indexed, iterated, asked for attributes, length and truth; it is equal to nothing but itself and does not compute, so that
 * no expected value is handed to the program. Two objects of the program are compared by the program, which the verdict then says.
 */
import { plainDataSource } from "./plain-data.ts";

/** Defines `midcourse_converse(receive, send, home, is_judge)`, which returns the end of a conversation. Needs Python 3.8. */
export const conversationSource = `${plainDataSource}${String.raw`
def midcourse_converse(receive, send, home, is_judge):
    import builtins, json
    dumps, loads = json.dumps, json.loads
    base_exception, memory_error = BaseException, MemoryError
    mutable = {list, dict, set, bytearray}

    class Gone(BaseException):
        """The program has ended, and with it the trial."""

    class Elsewhere(Exception):
        """What happened in the other process."""
        def __str__(self):
            return "\n" + self.args[0]

    Elsewhere.__module__, Elsewhere.__qualname__ = "builtins", "InTheProgram"

    class Talk:
        end = None
        message = ""
        refused = []
        notes = []

    talk = Talk()
    encode, decode = midcourse_plain_data(home, is_judge, talk)

    def note(text):
        if text not in talk.notes and len(talk.notes) < 8:
            talk.notes.append(text)

    def gone(end, message):
        if talk.end is None:
            talk.end, talk.message = end, message
        raise Gone(message)

    def ask(op, *values, **named):
        """Asks the other side to do something, and meanwhile does what it asks."""
        if talk.end is not None:
            raise Gone(talk.message)
        sent = [encode(each) for each in values]
        message = {"op": op, "values": sent, "named": {name: encode(each) for name, each in named.items()}}
        send(dumps(message))
        while True:
            line = receive()
            if line is None:
                gone("gone", "the program ended before its tests did")
            try:
                answer = loads(line)
                if "op" in answer:
                    serve(answer)
                    continue
                if is_judge:
                    for attempt in answer.get("refused", []):
                        if attempt not in talk.refused and len(talk.refused) < 8:
                            talk.refused.append(str(attempt)[:300])
                for place, data in answer.get("changed", []):
                    put_back(values[place], decode(data))
                error = answer.get("error")
                value = None if error is not None else decode(answer["value"])
            except memory_error:
                raise
            except Gone:
                raise
            except base_exception as failure:
                if not is_judge:
                    raise
                gone("fail", "what the program returned cannot be read: " + type(failure).__name__)
            if error is None:
                return value
            fail(op, error)

    def put_back(old, new):
        kind = type(old)
        if kind is not type(new) or kind not in mutable:
            return
        if kind is list or kind is bytearray:
            old[:] = new
        else:
            old.clear()
            old.update(new)

    def fail(op, error):
        names, message, trace = [str(each) for each in error["names"]], str(error["message"]), str(error.get("trace", ""))
        if "exit" in error:
            gone("memory" if error["exit"] == "memory" else "fail", "ended early: " + message[:1000])
        # Within an iteration these would end it in silence.
        if op != "next" and names[0] in ("StopIteration", "StopAsyncIteration"):
            names, message = ["RuntimeError"], names[0] + " was raised"
        for name in names:
            found = home.get(name, getattr(builtins, name, None))
            if isinstance(found, type) and issubclass(found, Exception):
                try:
                    raised = found(*decode(error["args"]))
                except Exception:
                    raised = Exception(message)
                break
        else:
            raised = Exception(message)
        if trace and op != "next":
            raise raised from Elsewhere(trace)
        raise raised

    def answer_of(op, values, named):
        if op == "load" and not is_judge:
            return talk.load()
        if op == "name" and not is_judge:
            return home[values[0]]
        target, rest = values[0], values[1:]
        if not is_allowed(op, target, rest):
            raise TypeError("the tests hand over a " + type(target).__name__ + ", which stays in their process: " + op + " is not passed on")
        if op == "call":
            return target(*rest, **named)
        if op == "attribute":
            return getattr(target, rest[0])
        if op == "set":
            return setattr(target, rest[0], rest[1])
        if op == "item":
            return target[rest[0]]
        if op == "put":
            target[rest[0]] = rest[1]
            return None
        if op == "drop":
            del target[rest[0]]
            return None
        if op == "await":
            import asyncio
            async def wait():
                return await target
            return asyncio.new_event_loop().run_until_complete(wait())
        if op == "compare":
            import operator
            return getattr(operator, rest[0])(target, rest[1])
        return {"next": next, "iterate": iter, "length": len, "truth": bool, "text": str, "show": repr}[op](target)

    def is_allowed(op, target, rest):
        """What a judge lets a program do to what it was handed: call it, go through it, and use objects of the tests' own classes."""
        if not is_judge:
            return True
        if op == "call":
            return callable(target)
        if op in ("next", "iterate"):
            return hasattr(type(target), "__iter__")
        if op in ("text", "show", "truth"):
            return True
        if op in ("attribute", "set"):
            return type(target).__module__ == home.get("__name__") and type(rest[0]) is str and rest[0][:1] != "_"
        return op in ("item", "put", "drop", "length") and type(target).__module__ == home.get("__name__")

    def serve(message):
        op, sent = message["op"], message["values"]
        answer = {}
        values = []
        try:
            values = [decode(each) for each in sent]
            named = {name: decode(each) for name, each in message["named"].items()}
            result = answer_of(op, values, named)
            answer["value"] = encode(result, op == "name" or op == "call" and isinstance(values[0], type))
        except Gone:
            raise
        except base_exception as failure:
            answer = {"error": describe(failure)}
        try:
            changed = []
            for place, value in enumerate(values):
                if type(value) in mutable:
                    data = encode(value)
                    if data != sent[place]:
                        changed.append([place, data])
            if changed:
                answer["changed"] = changed
        except base_exception as failure:
            answer = {"error": describe(failure)}
        if talk.refused and not is_judge:
            answer["refused"] = talk.refused[:8]
        try:
            text = dumps(answer)
        except base_exception as failure:
            text = dumps({"error": describe(failure)})
        send(text)

    def describe(failure):
        kind = type(failure)
        names = [each.__name__ for each in kind.__mro__]
        try:
            message = str(failure)[:2000]
        except base_exception:
            message = "an exception that cannot be shown"
        described = {"names": names, "message": message or names[0], "args": ["tuple", []]}
        if is_judge:
            return described
        try:
            described["args"] = ["tuple", [encode(each) for each in failure.args]]
        except base_exception:
            pass
        if issubclass(kind, memory_error):
            described["exit"] = "memory"
        elif not issubclass(kind, Exception):
            described["exit"] = "end"
            described["message"] = names[0]
        try:
            import traceback
            trace = failure.__traceback__
            while trace is not None and trace.tb_frame.f_code.co_filename != "<program>":
                trace = trace.tb_next
            described["trace"] = "".join(traceback.format_exception(kind, failure, trace, 8))[-1500:]
        except base_exception:
            pass
        return described

    class Remote:
        __slots__ = ("_midcourse_number", "_midcourse_kind", "__weakref__")

        def __init__(self, number, kind):
            object.__setattr__(self, "_midcourse_number", number)
            object.__setattr__(self, "_midcourse_kind", kind)

        def __getattr__(self, name):
            # What Python itself looks for in an object is not there.
            if name[:2] == "__" and name not in ("__name__", "__doc__"):
                raise AttributeError(name)
            return ask("attribute", self, name)

        def __setattr__(self, name, value):
            ask("set", self, name, value)

        def __getitem__(self, key):
            return ask("item", self, key)

        def __setitem__(self, key, value):
            ask("put", self, key, value)

        def __delitem__(self, key):
            ask("drop", self, key)

        def __len__(self):
            return ask("length", self)

        def __bool__(self):
            return bool(ask("truth", self))

        def __iter__(self):
            made = ask("iterate", self)
            return made if isinstance(made, Remote) else iter(made)

        def __contains__(self, wanted):
            return any(each is wanted or each == wanted for each in self)

        def __str__(self):
            return str(ask("text", self))

        def __repr__(self):
            return str(ask("show", self))

        def __hash__(self):
            return object.__hash__(self)

        def __eq__(self, other):
            return self is other or compared("eq", self, other) is True

        def __ne__(self, other):
            return not self == other

        def __lt__(self, other):
            return compared("lt", self, other)

        def __le__(self, other):
            return compared("le", self, other)

        def __gt__(self, other):
            return compared("gt", self, other)

        def __ge__(self, other):
            return compared("ge", self, other)

        def __add__(self, other):
            return compared("add", self, other)

        def __sub__(self, other):
            return compared("sub", self, other)

        def __mul__(self, other):
            return compared("mul", self, other)

    def compared(operation, first, second):
        if not (is_judge and isinstance(first, Remote) and isinstance(second, Remote)):
            return NotImplemented
        note("the program's own objects were compared by the program itself")
        return ask("compare", first, operation, second)

    class RemoteCallable(Remote):
        __slots__ = ()

        def __call__(self, *values, **named):
            return ask("call", self, *values, **named)

    class RemoteIterator(Remote):
        __slots__ = ()

        def __iter__(self):
            return self

        def __next__(self):
            return ask("next", self)

    class RemoteAwaitable(Remote):
        __slots__ = ()

        def __await__(self):
            return ask("await", self)
            yield

    def stand_in(number, kind, is_callable, is_iterator, is_awaitable):
        made = RemoteIterator if is_iterator else RemoteAwaitable if is_awaitable else RemoteCallable if is_callable else Remote
        return made(number, str(kind))

    talk.Remote, talk.stand_in = Remote, stand_in
    talk.ask, talk.serve, talk.note, talk.loads = ask, serve, note, loads
    return talk
`}`;
