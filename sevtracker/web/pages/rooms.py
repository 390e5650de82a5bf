"""Every room: importing this puts their views on the blueprint."""

from __future__ import annotations

from sevtracker.web.pages import (
    account,
    auth,
    check_accept,
    check_ends,
    check_twins,
    checks,
    copies,
    datasets,
    home,
    people,
    programmes,
    runs,
    settings,
    sev_acts,
    sev_resolve,
    sev_word_acts,
    sevs,
    suggestions,
    theme,
)

ROOMS = (
    *(home, sevs, sev_acts, sev_word_acts, sev_resolve, datasets, checks, check_ends, check_accept, check_twins),
    *(suggestions, runs, copies, programmes, people, account, auth, settings, theme),
)
