"""The links of the chain: one table, agreeing with the document and complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from reprieve.pharmacology.links import NODES, STANDINGS, LinkError, docs_table, drawn, links, read

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/explanation/model.md"
ROW = {
    "id": "a", "name": "one to two", "from": "infusion", "to": "blood", "standing": "plausible",
    "in_full": "plausible in mice", "why": "mice", "plain": "Seen in mice.", "claims": "", "findings": "",
    "statements": "", "facts": "plasticity:Milak 2016",
}  # fmt: skip


def test_the_document_has_the_table():
    assert docs_table() in DOCUMENT.read_text()


def test_every_node_is_reached_and_every_standing_used():
    assert {node for link in drawn() for node in (link.start, link.end)} == set(NODES)
    assert {link.standing for link in drawn()} == set(STANDINGS)
    assert len({(link.start, link.end) for link in drawn()}) == len(drawn())


def test_what_the_page_says_of_the_chain_as_a_whole_still_holds():
    """The opening says: well known in blood and body, less sure in the brain, a guess at the end."""
    standing = {link.id: link.standing for link in drawn()}

    assert {standing[name] for name in ("infusion-blood", "blood-pressure", "blood-detached")} == {"well founded"}
    assert "well founded" not in {standing[name] for name in ("blood-receptor", "receptor-glutamate")}
    assert standing["synapses-symptoms"] == "speculative"


def test_sources_are_those_of_the_tables():
    (milak,) = read([ROW])["a"].sources()

    assert (milak.name, milak.provenance) == ("Milak 2016", "read")
    assert links()["blood-receptor"].sources()[0].mark == "from memory, not yet checked"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (
            {"standing": "likely"},
            "line 2: a: standing 'likely'; it must be one of well founded, plausible, speculative",
        ),
        ({"to": ""}, "an arrow needs both ends"),
        ({"to": "heart"}, "no node 'heart'; the nodes are infusion, blood"),
        ({"in_full": "speculative"}, "'speculative' does not say 'plausible'"),
        ({"plain": ""}, "name, in_full or why is empty, or plain is for an arrow; fill it in"),
        ({"facts": "synapses:Milak 2016"}, "no table 'synapses' of facts"),
        ({"facts": "plasticity:Nobody 1999"}, "plasticity.csv has no row from 'Nobody 1999'"),
    ],
)
def test_what_cannot_be_a_link_is_refused(changed, says):
    with pytest.raises(LinkError) as refused:
        read([ROW | changed])

    assert says in str(refused.value)


def test_an_id_stands_once():
    with pytest.raises(LinkError, match="line 3: a stands in the table already"):
        read([ROW, ROW])
