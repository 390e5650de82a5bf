"""What each page is given: one frozen dataclass a page, plain values only. The class names its template.

A door reads through store, builds one of these and hands it to ``rendering.render(page, chrome)``. Templates see two
names, ``page`` and ``chrome``; a name that is missing fails (StrictUndefined). Every datetime is aware UTC;
``chrome.now`` is the only *now*. A form that was refused is shown again by the same page with ``Form`` filled in, so
that nothing typed is lost.

Endpoints (the templates build every link by them; (P) = POST, answered by a redirect or by the page again with 422):

==============================  ==========================================  ==========================================
endpoint                        path                                        renders, or fields it takes
==============================  ==========================================  ==========================================
pages.home                      /                                           Home
pages.home_live                 /live?since=TOKEN                           HomeLivePage, or 204 when unchanged
pages.alarms_seen (P)           /alarms/seen                                notices (ids, with blanks between)
pages.sev_list                  /sevs?q&status&level&exposure&dataset       SevList
                                &programme&cursor (repeatable)
pages.sev_new                   /sevs/new?title&level&dataset&...           SevNew (any field prefills)
pages.sev_file (P)              /sevs                                       title, dataset[], new_dataset_slug,
                                                                            new_dataset_name, level, exposed_from,
                                                                            detected_at, summary, restricted
pages.sev_show                  /sevs/N?kind&by&order&before&revise&filed   SevShow
                                &waive&attest&revoke&sign&withdraw
pages.sev_live                  /sevs/N/live?since=TOKEN&kind&by&order      SevLivePage, or 204 when unchanged
pages.sev_edit (P)              /sevs/N/edit                                title, level, commander, summary,
                                                                            exposed_from, aware_at, restricted
pages.sev_note (P)              /sevs/N/notes                               text, at
pages.sev_note_revise (P)       /sevs/N/notes/SEQ                           text
pages.sev_patch (P)             /sevs/N/patches                             summary, url, applied_at, datasets[]
pages.sev_verify (P)            /sevs/N/verify                              (none: every check runs now)
pages.sev_resolving             /sevs/N/resolve                             SevResolve
pages.sev_resolve (P)           /sevs/N/resolve                             summary; 409 renders SevResolve
pages.sev_reopen (P)            /sevs/N/reopen                              reason
pages.sev_dismiss (P)           /sevs/N/dismiss                             reason, duplicate_of
pages.sev_close (P)             /sevs/N/close                               reason
pages.sev_retest (P)            /sevs/N/retest                              evidence
pages.sev_access_review (P)     /sevs/N/access-review                       evidence, no_logs
pages.sev_sessions (P)          /sevs/N/sessions-handled                    evidence
pages.sev_viewer_add (P)        /sevs/N/viewers                             email
pages.sev_viewer_remove (P)     /sevs/N/viewers/remove                      person
pages.sev_waive (P)             /sevs/N/waivers                             check (ID:open or ID:shut), reason,
                                                                            expires_at
pages.sev_waiver_revoke (P)     /sevs/N/waivers/ID/revoke                   reason
pages.sev_attest (P)            /sevs/N/attestations                        place, statement, evidence, expires_at
pages.sev_attestation_sign (P)  /sevs/N/attestations/ID/sign                reason
pages.sev_attestation_withdraw  /sevs/N/attestations/ID/withdraw            reason
(P)
pages.dataset_list              /datasets?q&cursor                          DatasetList
pages.dataset_new               /datasets/new                               DatasetEdit (page.slug None)
pages.dataset_add (P)           /datasets                                   slug, name, owner, programme,
                                                                            classification, description,
                                                                            disclosed_fields
pages.dataset_show              /datasets/SLUG                              DatasetShow
pages.dataset_edit              /datasets/SLUG/edit                         DatasetEdit
pages.dataset_save (P)          /datasets/SLUG/edit                         as dataset_add, without slug
pages.copy_add (P)              /datasets/SLUG/copies                       slug, kind, location
pages.check_list                /checks?q&verdict&cursor                    CheckList
pages.check_new                 /checks/new?kind&dataset&copy&identity      CheckEdit (page.check None)
pages.check_add (P)             /checks                                     kind, dataset, copy, identity, control,
                                                                            name, required, params.NAME
pages.check_show                /checks/ID?before                           CheckShow
pages.check_edit                /checks/ID/edit                             CheckEdit
pages.check_save (P)            /checks/ID/edit                             as check_add without kind and place,
                                                                            and reason
pages.check_run (P)             /checks/ID/run                              (none: runs now)
pages.check_disable (P)         /checks/ID/disable                          reason
pages.check_enable (P)          /checks/ID/enable                           (none)
pages.check_retire (P)          /checks/ID/retire                           reason
pages.check_accept (P)          /checks/ID/accept                           reason, evidence_url, revision
pages.check_twins_make (P)      /checks/ID/twins                            keeper
pages.check_twins_drop (P)      /checks/ID/twins/drop                       (none)
pages.proposal_approve (P)      /checks/ID/proposals/P/approve              reason
pages.proposal_deny (P)         /checks/ID/proposals/P/deny                 reason
pages.suggestion_accept (P)     /suggestions/ID/accept                      (none: as it was suggested)
pages.suggestion_dismiss (P)    /suggestions/ID/dismiss                     reason, sev
pages.run_show                  /checks/ID/runs/RUN                         RunShow
pages.programme_show            /programmes/SLUG                            ProgrammeShow
pages.sign_in                   /sign-in?next                               SignIn
pages.sign_in_submit (P)        /sign-in                                    email, password, next
pages.sign_out (P)              /sign-out
pages.welcome                   /welcome/TOKEN                              Welcome
pages.welcome_submit (P)        /welcome/TOKEN                              name, email, password, password_again
pages.set_password              /set-password/TOKEN                         SetPassword
pages.set_password_submit (P)   /set-password/TOKEN                         password, password_again
pages.account                   /account                                    Account
pages.account_password (P)      /account/password                           current, password, password_again
pages.token_create (P)          /account/tokens                             name; renders Account with new_token
pages.token_revoke (P)          /account/tokens/ID/revoke
pages.people                    /people                                     People
pages.person_add (P)            /people                                     name, email, role; renders People with link
pages.person_role (P)           /people/ID/role                             role
pages.person_deactivate (P)     /people/ID/deactivate
pages.person_activate (P)       /people/ID/activate
pages.person_link (P)           /people/ID/link                             renders People with link
pages.settings                  /settings                                   Settings
pages.theme (P)                 /theme                                      theme (auto, light, dark), next
static                          /static/NAME?v=HASH                         (mounted by ``rendering.install``)
==============================  ==========================================  ==========================================

Times typed into ``exposed_from``, ``detected_at``, ``at``, ``applied_at`` and ``expires_at`` come as
``YYYY-MM-DDTHH:MM`` and mean UTC; the form says so beside the field.
"""

from __future__ import annotations

from sevtracker.web.contexts.base import (
    EMPTY_FORM,
    Change,
    Chrome,
    Cursor,
    Flash,
    Form,
    Option,
    PageContext,
    ProgrammeRef,
    SevRef,
    Theme,
    Viewer,
)
from sevtracker.web.contexts.checks import (
    Acceptable,
    CheckEdit,
    CheckList,
    CheckProposal,
    CheckRevision,
    CheckShow,
    Counted,
    KindChoices,
    Lockout,
    ParamField,
    PhaseStep,
    ProofShown,
    RunLine,
    RunShow,
)
from sevtracker.web.contexts.datasets import CheckLine, CopyBlock, DatasetEdit, DatasetList, DatasetRow, DatasetShow
from sevtracker.web.contexts.home import Alarm, BlindCheck, Home, HomeLive, HomeLivePage, HomeSev, PausedProgramme
from sevtracker.web.contexts.others import (
    Account,
    ErrorPage,
    OneTimeLink,
    People,
    PersonRow,
    ProgrammeShow,
    SetPassword,
    SettingGroup,
    SettingRow,
    Settings,
    SignIn,
    TokenLine,
    Welcome,
)
from sevtracker.web.contexts.sev import (
    Act,
    FinalRun,
    Found,
    ImpactLine,
    NextStep,
    Person,
    SevFacts,
    SevMay,
    SevResolve,
    SevShow,
    Stretch,
    WaysIn,
    WordForms,
)
from sevtracker.web.contexts.sev_live import (
    AttestationLine,
    BarMark,
    BarSegment,
    BlockerLine,
    Cell,
    Clocks,
    EntryTone,
    ExceptionLine,
    ExposureBar,
    Hole,
    KindGroup,
    MarkKind,
    Matrix,
    MatrixColumn,
    MatrixRow,
    PatchLine,
    Revision,
    SevLive,
    SevLivePage,
    Timeline,
    TimelineEntry,
    WaiverLine,
)
from sevtracker.web.contexts.sevs import DatasetOption, SevFilters, SevList, SevNew, SevRow

__all__ = [
    "EMPTY_FORM",
    "Acceptable",
    "Account",
    "Act",
    "Alarm",
    "AttestationLine",
    "BarMark",
    "BarSegment",
    "BlindCheck",
    "BlockerLine",
    "Cell",
    "Change",
    "CheckEdit",
    "CheckLine",
    "CheckList",
    "CheckProposal",
    "CheckRevision",
    "CheckShow",
    "Chrome",
    "Clocks",
    "CopyBlock",
    "Counted",
    "Cursor",
    "DatasetEdit",
    "DatasetList",
    "DatasetOption",
    "DatasetRow",
    "DatasetShow",
    "EntryTone",
    "ErrorPage",
    "ExceptionLine",
    "ExposureBar",
    "FinalRun",
    "Flash",
    "Form",
    "Found",
    "Hole",
    "Home",
    "HomeLive",
    "HomeLivePage",
    "HomeSev",
    "ImpactLine",
    "KindChoices",
    "KindGroup",
    "Lockout",
    "MarkKind",
    "Matrix",
    "MatrixColumn",
    "MatrixRow",
    "NextStep",
    "OneTimeLink",
    "Option",
    "PageContext",
    "ParamField",
    "PatchLine",
    "PausedProgramme",
    "People",
    "Person",
    "PersonRow",
    "PhaseStep",
    "ProgrammeRef",
    "ProgrammeShow",
    "ProofShown",
    "Revision",
    "RunLine",
    "RunShow",
    "SetPassword",
    "SettingGroup",
    "SettingRow",
    "Settings",
    "SevFacts",
    "SevFilters",
    "SevList",
    "SevLive",
    "SevLivePage",
    "SevMay",
    "SevNew",
    "SevRef",
    "SevResolve",
    "SevRow",
    "SevShow",
    "SignIn",
    "Stretch",
    "Theme",
    "Timeline",
    "TimelineEntry",
    "TokenLine",
    "Viewer",
    "WaiverLine",
    "WaysIn",
    "Welcome",
    "WordForms",
]
