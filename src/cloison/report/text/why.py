"""`why` for people at three in the morning: verdict, reason, what to do."""

from collections.abc import Iterable, Iterator

from cloison.analyses.ask import Explanation
from cloison.analyses.explain import FAR, CaseAnswer, PointAnswer
from cloison.analyses.parties import Party
from cloison.ir.fidelity import Verdict
from cloison.ir.policy import Direction
from cloison.ir.when import When
from cloison.report.about import About, Look
from cloison.report.text.closing import closing
from cloison.report.text.layout import at, listed, verdict, wrapped
from cloison.report.text.requests import asks
from cloison.report.text.requests import words as words_of
from cloison.report.text.walk import SHOWN, scope, told, walked
from cloison.report.text.ways import stopped, unnamed, ways

_PASSING = (Verdict.ALLOWED, Verdict.MIXED)


def lines(result: Explanation, about: About, look: Look) -> Iterator[str]:
    """Iterate over the lines of an explanation."""
    yield f"{verdict(result.verdict, look)}  {asked(result)}"
    yield ""
    for sentence in _summary(result):
        yield from wrapped(sentence, look)
    for witness in result.witnesses:
        yield from wrapped(str(witness), look, f"  {witness.verdict}: ")
    yield from unnamed(result, look)
    for note in result.notes:
        yield from wrapped(note, look, "note: ")
    yield from ways(result, look)
    if result.shown is not None:
        case = result.shown.case
        if len({(c.case.source.text, c.case.destination.text) for c in result.cases}) > 1:
            yield ""
            yield f"Shown below: {case.source.text} -> {case.destination.text}"
        points = result.shown.points
        layered = len({point.layer for point in points}) > 1
        for number, point in enumerate(points, 1):
            yield ""
            name = f" ({point.layer})" if layered else ""
            yield from _point(number, point, _party(result.shown, point), look, name)
    yield from _mends(result, look)
    if result.caveats:
        yield ""
        for caveat in result.caveats:
            yield from wrapped(caveat.text, look, f"caveat {caveat.id}: ", "  ")
    yield ""
    yield from closing(about, look)


def brief(result: Explanation, look: Look) -> Iterator[str]:
    """Iterate over the verdict and the reason alone, without the path."""
    yield f"{verdict(result.verdict, look)}  {asked(result)}"
    for sentence in _summary(result):
        yield from wrapped(sentence, look, "  ")
    if result.shown is None or result.verdict is Verdict.ALLOWED:
        return
    for point in result.shown.points:
        nearest = next(iter(point.considered), None)
        if point.verdict is result.verdict and nearest is not None and nearest.nearest_miss:
            said = f"{nearest.policy.id.said} {nearest.nearest_miss}."
            yield from wrapped(said, look, "  ")


def asked(result: Explanation) -> str:
    """Return the question on one line, the port where questions carry it."""
    question = result.question
    text = question.traffic.text
    if text is None:
        port = ""
    elif "/" in text and not text.startswith("icmp"):
        protocol, _, number = text.partition("/")
        port = f":{number}/{protocol}"
    else:
        port = f":{text}"
    family = f" (IPv{question.family})" if question.family else ""
    state = "" if question.state == "new" else f" ({question.state})"
    request = f" ({question.request})" if question.request else ""
    return f"{question.source.text} -> {question.destination.text}{port}{request}{family}{state}"


def _summary(result: Explanation) -> Iterator[str]:
    """Say what decided, in a sentence or two."""
    yield from stopped(result)
    if result.shown is None:
        return
    points = result.shown.points
    if result.verdict is Verdict.ALLOWED:
        policed = [p for p in points if _party(result.shown, p).endpoint or p.tiers]
        said = [_passed(p) for p in policed] or ["neither end is a pod, so no policy applies"]
        yield _sentence(dict.fromkeys(said))
    elif result.verdict is Verdict.DENIED:
        stopping = [p for p in points if p.verdict is Verdict.DENIED]
        if result.shown.verdict is Verdict.ALLOWED:
            yield "What is asked passes, and its reply does not."
            return
        if not stopping:
            yield "What one end lets pass, the other does not."
            return
        words = "Stopped twice" if len(stopping) > 1 else "Stopped"
        yield _sentence(
            [f"{words}: {_way(stopping[0])} {_stopped(stopping[0])}"]
            + [f"{_way(p)} {_stopped(p)}" for p in stopping[1:]]
        )
        for each in result.instead:
            others = f"would pass with {words_of(each.allowed)}"
            if result.refusal:
                yield f"The connection is made; {result.refusal}. {each.traffic} {others}."
            else:
                yield f"{each.traffic} {others}."
    elif result.when:
        for each in result.when:
            yield from _whens(each)
    elif result.verdict is Verdict.MIXED:
        yield _mixed(result)
    else:
        unsure = [p for p in points if p.verdict is Verdict.UNDETERMINED] or list(points)
        ids = ", ".join(sorted({c.id for p in unsure for c in p.caveats}))
        yield "Nobody can say from what is known here" + (f": see {ids} below." if ids else ".")


def _mixed(result: Explanation) -> str:
    """Say what a mixed answer depends on."""
    passes = str(result.allowed) if result.allowed else "nothing"
    example = " For example:" if result.witnesses else ""
    counting = [way for way in result.ways if not way.copy]
    if not result.witnesses and len(counting) > 1:
        through = sum(way.verdict is Verdict.ALLOWED for way in counting)
        return f"It depends on the way: {through} of {len(counting)} let all of it through."
    if len(result.cases) == 1:
        return f"Of all that was asked, {passes} passes.{example}"
    return f"It depends on the ends; {passes} passes between all of them.{example}"


def _whens(each: When) -> Iterator[str]:
    """Say with which requests traffic passes."""
    sure, maybe = each.allowed, each.undetermined
    if each.given:
        which = "" if maybe == each.asked else f" with {words_of(maybe)}"
        yield f"{each.traffic} passes{which} when {each.given}, and not otherwise."
        if not sure:
            return
    said = f"It depends on the request: {each.traffic} passes"
    yield f"{said} with {words_of(sure)}." if sure else f"{said} with no request for certain."
    if maybe and not each.given:
        yield f"Nobody can say of {words_of(maybe)}."


def _sentence(parts: Iterable[str]) -> str:
    text = "; ".join(parts)
    # A name stays as it is written, also at the beginning.
    if "/" not in text.partition(" ")[0]:
        text = text[:1].upper() + text[1:]
    return f"{text}."


def _party(shown: CaseAnswer, point: PointAnswer) -> Party:
    """Return whose policies a point asks."""
    case = shown.case
    return case.source if point.direction is Direction.EGRESS else case.destination


def _way(point: PointAnswer) -> str:
    word = "leaving" if point.direction is Direction.EGRESS else "entering"
    return f"{word} {point.endpoint}"


def _passed(point: PointAnswer) -> str:
    decider = point.decided_by[0] if point.decided_by else None
    if point.idle:
        return "policies exist, but this CNI enforces none"
    if point.tiers and decider is not None and decider.text == "default":
        return f"no tier stops the {point.direction} of {point.endpoint}"
    if decider is None or decider.text == "default":
        return f"nothing isolates the {point.direction} of {point.endpoint}"
    if decider.text == "not policed":
        return f"policies do not apply to {point.endpoint}"
    if decider.rule is not None:
        return f"{decider.text} allows it{at(decider.span)}"
    if decider.policy is not None:
        return f"tier {decider.tier} lets through what its rules leave open"
    return f"a built-in rule allows it: {decider.text}"


def _stopped(point: PointAnswer) -> str:
    for decider in point.decided_by:
        if decider.rule is not None:
            return f"by {decider.text}{at(decider.span)}"
    ended = {tier.spec.name for tier in point.tiers if tier.ended}
    ranked = [c for c in point.considered if c.policy.tier in ended]
    if not ranked:
        text = point.decided_by[0].text
        return f"by {text}" if text != "default" else "because nothing lets it through"
    # Name the policy where somebody would look for the mistake: the one that came nearest.
    first = ranked[0]
    span = first.miss_span or first.policy.span
    isolating = [c for c in ranked if c.selects]
    if not first.selects:
        return (
            f"by {listed([c.policy.id.said for c in isolating], 3)}; {first.policy.id.said} "
            f"would allow it but does not select {point.endpoint}{at(span)}"
        )
    if len(isolating) == 1 or first.remoteness < FAR:
        return f"by {first.policy.id.said}, none of whose {point.direction} rules matches{at(span)}"
    return (
        f"by {len(isolating)} policies, none of which allows it; nearest is "
        f"{first.policy.id.said}{at(span)}"
    )


def _passing(part: When) -> Iterator[tuple[str, str]]:
    """Yield what becomes of traffic, and when."""
    if part.allowed or not part.given:
        yield "passes", f" when {words_of(part.allowed)}"
    if part.given:
        every = part.undetermined == part.asked
        yield "passes", asks(None if every else part.undetermined, given=part.given)
    elif part.undetermined:
        yield "may pass", f" when {words_of(part.undetermined)}"


def _point(number: int, point: PointAnswer, party: Party, look: Look, layer: str) -> Iterator[str]:
    head = look.paint(f"{point.direction} of {point.endpoint}", "bold")
    yield f"{number}. {head}{layer}: {verdict(point.verdict, look)}"
    if point.verdict is Verdict.MIXED:
        if point.allowed or not point.when:
            yield f"   passes: {point.allowed}"
        for part in point.when:
            for lead, said in _passing(part):
                yield from wrapped(f"{part.traffic}{said}", look, f"   {lead}: ", "     ")
    if point.walk is not None and not point.walk.plain:
        yield from walked(point, point.walk, look)
        return
    selecting = [c for c in point.considered if c.selects]
    rules = [d.text for d in point.decided_by if d.policy is None and d.text not in _NO_RULE]
    if rules and selecting:
        yield f"   a built-in rule decides: {', '.join(rules)}"
    if not selecting:
        yield from wrapped(_unpoliced(point, party), look, "   ")
    elif len(selecting) == 1:
        yield f"   1 policy selects it and governs its {point.direction}:"
    else:
        yield f"   {len(selecting)} policies select it and govern its {point.direction}:"
    ranked = point.considered
    near = [c for c in ranked if c.remoteness < FAR][:SHOWN]
    if point.verdict in _PASSING and any(c.decides for c in near):
        near = [c for c in near if c.decides]
    if not near:
        near = list(ranked[:1])
    for each in near:
        yield from told(each, look)
    rest = [c for c in ranked if c not in near and c.selects]
    if rest:
        said = listed([f"{c.policy.id.said} ({scope(c, point.direction)})" for c in rest])
        word = "besides" if any(c.decides for c in near) else "farther off"
        yield from wrapped(said, look, f"   - {word}: ", "     ")


_NO_RULE = ("default", "not policed")


def _unpoliced(point: PointAnswer, party: Party) -> str:
    texts = {d.text for d in point.decided_by}
    if party.endpoint is None:
        return "no pod of the cluster, so no policy applies to it"
    if "not policed" in texts:
        return "on its node's network, so no policy applies to it"
    if texts.difference(_NO_RULE):
        return f"a built-in rule decides: {listed(sorted(texts))}"
    if point.idle:
        return f"{_idle(point)}, so everything passes"
    return f"no policy selects it for {point.direction}, so everything passes"


def _idle(point: PointAnswer) -> str:
    """Say which policies would govern a point, did the CNI enforce any."""
    names = listed([str(policy) for policy in point.idle], SHOWN)
    verb = "selects" if len(point.idle) == 1 else "select"
    return f"{names} {verb} it for {point.direction}, but this CNI enforces no policies"


def _mends(result: Explanation, look: Look) -> Iterator[str]:
    """Say what would let the traffic pass: all of it has to be applied."""
    if not result.mend:
        return
    yield ""
    head = look.paint("to allow it", "bold")
    several = len(result.mend) > 1
    for number, mend in enumerate(result.mend, 1):
        lead = f"{head} ({number} of {len(result.mend)}): " if several else f"{head}: "
        place = f"  {mend.file}:{mend.line}" if mend.file and mend.line else ""
        yield from wrapped(f"{mend.text}{place}", look, lead, "  ")
        for line in (mend.lines or mend.manifest).rstrip("\n").splitlines():
            yield f"    {line}" if line else ""
        if mend.also:
            yield from wrapped(listed(mend.also), look, "  this also opens: ", "    ")
