"""What becomes of traffic, and of requests on it, under the rules that match a peer."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloison.engine.evaluate import Able, Layer, Notes
from cloison.engine.related import Relations
from cloison.engine.requests import Answer, Matched, Refiner, RequestParts
from cloison.engine.spectrum import Mask, Parts, Spectrum
from cloison.ir.policy import LayerSpec
from cloison.ir.ruleset import Outcome
from cloison.ir.when import split

if TYPE_CHECKING:
    from cloison.algebra import Request


@dataclass(frozen=True, slots=True)
class Matter:
    """Peers to be judged.

    Args:
        able: Who has a say.
        matched: The rules that match them, each with whether it certainly does.
        relations: How they stand to the subject.
    """

    able: Able
    matched: Matched
    relations: Relations


class Judge:
    """Evaluates layers for peers that the same rules match.

    Args:
        layers: The layers.
        asked: The request in question, as far as it is told; None for all there are.
    """

    def __init__(self, layers: Sequence[LayerSpec], asked: "Request | None" = None) -> None:
        self.layers = layers
        self.asked = asked
        self._places = {t.name: i for i, la in enumerate(layers) for t in la.tiers}
        scopes = (tier.end_scope for layer in layers for tier in layer.tiers)
        builtin = (rule.traffic.must for layer in layers for rule in layer.builtin)
        self.said = frozenset((*scopes, *builtin))
        """What the layers say of traffic, whatever the rules."""
        self._refiner = Refiner(asked)

    def outcome(
        self, matter: Matter, spectrum: Spectrum, key: Callable[[Matched], object]
    ) -> Outcome:
        """Return what becomes of all traffic in all layers.

        Args:
            matter: Who is judged.
            spectrum: Cuts traffic wherever a rule or a layer does.
            key: Returns what some of the rules come to: the same for rules that are alike.
        """
        return self._outcome(
            matter,
            spectrum,
            self._through(matter, matter.matched, spectrum),
            lambda rules, parts: self._through(matter, rules, parts),
            lambda rules: (matter.able, matter.relations, key(rules)),
        )

    def noted(self, matter: Matter, spectrum: Spectrum) -> Iterator[tuple[Outcome, Notes]]:
        """Iterate over what becomes of all traffic in each layer, with notes on how.

        Args:
            matter: Who is judged.
            spectrum: Cuts traffic wherever a rule or a layer does.
        """
        for number in range(len(self.layers)):
            notes = Notes()
            found = self._layer(number, matter, matter.matched, spectrum, notes).outcome()

            def again(rules: Matched, parts: RequestParts, at: int = number) -> Answer:
                return self._layer(at, matter, rules, parts).outcome()

            yield self._outcome(matter, spectrum, found, again), notes

    def _outcome(
        self,
        matter: Matter,
        spectrum: Spectrum,
        found: tuple[int, int],
        evaluate: Callable[[Matched, RequestParts], Answer],
        key: Callable[[Matched], object] | None = None,
    ) -> Outcome:
        allowed, undetermined = found
        plain = Outcome(spectrum.traffic(allowed), spectrum.traffic(undetermined))
        if all(r.rule.request is None and r.rule.given is None for r, _ in matter.matched):
            return plain
        when = self._refiner.when(matter.matched, spectrum, undetermined, self.said, evaluate, key)
        return Outcome(*split(plain.allowed, plain.undetermined, when))

    def _through(self, matter: Matter, matched: Matched, parts: Parts[Mask]) -> tuple[Mask, Mask]:
        """Return what passes all layers, and what may pass besides."""
        allowed = passing = parts.whole
        for number in range(len(self.layers)):
            sure, maybe = self._layer(number, matter, matched, parts).outcome()
            allowed, passing = allowed & sure, passing & (sure | maybe)
        if matter.able.optional:
            passing = parts.whole
        return allowed, passing & ~allowed

    def _layer(
        self,
        number: int,
        matter: Matter,
        matched: Matched,
        parts: Parts[Mask],
        notes: Notes | None = None,
    ) -> Layer[Mask]:
        able, relations, layer = matter.able, matter.relations, self.layers[number]
        return Layer(layer, number, self._places, able, matched, relations, parts, notes)
