"""How many statements a request may take: free of noise, and the same however much there is."""

from __future__ import annotations

from tests.web.world import World


def test_filing_takes_at_most_twelve_statements_and_one_commit(world: World) -> None:
    world.dataset()
    world.sev()
    with world.statements() as counted:
        world.dana.post("/sevs", {"title": "x", "level": "SEV1", "datasets": ["events"]}, key="k")
    assert len(counted) <= 12, counted.sent
    assert counted.commits == 1


def test_a_list_takes_at_most_four_whatever_its_size(world: World) -> None:
    world.dataset()
    for _ in range(30):
        world.sev()
    world.erik.get("/me")
    for path in ("/sevs?limit=5", "/sevs?limit=100", "/sevs?q=events&status=reported&dataset=events"):
        with world.statements() as counted:
            world.erik.get(path)
        assert len(counted) <= 4, counted.sent


def test_a_sev_takes_at_most_twelve_whatever_it_has(world: World) -> None:
    world.dataset(programme="mci", copies=[{"slug": "primary"}, {"slug": "backup"}])
    world.dataset("other")
    for path in ("/a", "/b", "/c"):
        world.check(path)
    number = world.sev(datasets=["events", "other"], restricted=True)
    world.dana.patch(f"/sevs/{number}", {"commander": "vera@example.org", "members": ["erik@example.org"]})
    for _ in range(3):
        world.dana.post(f"/sevs/{number}/patches", {"summary": "x"})
    world.drain()
    with world.statements() as counted:
        shown = world.dana.get(f"/sevs/{number}")
    assert len(shown["vantages"]) == 3
    assert len(counted) <= 12, counted.sent
    with world.statements() as counted:
        world.dana.get(f"/sevs/{number}/timeline")
    assert len(counted) <= 5, counted.sent
