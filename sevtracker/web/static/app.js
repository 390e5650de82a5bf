// Nothing here is needed: every page works without it. It adds the reader's own time on hover, shortcuts, narrowing of long
// lists, and keeps focus, open details and marked text in place while htmx swaps the live regions.
"use strict";

(() => {
  const root = document.documentElement;
  root.classList.add("has-js");
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));

  // ---- the reader's own time ----
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  const tellLocal = (event) => {
    const time = event.target.closest && event.target.closest("time[datetime]");
    if (!time || time.dataset.told) return;
    time.dataset.told = "yes";
    time.title = `${time.title}\n${local.format(new Date(time.dateTime))} ${zone}`;
  };
  document.addEventListener("mouseover", tellLocal);
  document.addEventListener("focusin", tellLocal);

  // ---- what a link or an error points at ----
  const reveal = (element) => {
    for (let d = element && element.closest("details"); d; d = d.parentElement.closest("details")) d.open = true;
  };
  const marked = () => (location.hash.startsWith("#") ? document.getElementById(location.hash.slice(1)) : null);
  const arrive = () => {
    const element = marked();
    if (!element) return;
    reveal(element);
    element.scrollIntoView({ block: "start" });
    const first = element.matches("form, div") && one("textarea, input:not([type=hidden])", element);
    if (first) first.focus({ preventScroll: true });
  };
  window.addEventListener("hashchange", arrive);
  // After the browser has followed the fragment itself, which takes the focus away.
  if (location.hash) window.addEventListener("load", () => setTimeout(arrive, 0));
  const refused = one("[data-focus]");
  if (refused) {
    reveal(refused);
    refused.focus();
  }

  // ---- narrowing a long list while typing; what is ticked stays in sight ----
  all("[data-narrow]").forEach((input) => {
    const rows = all("li", one(input.dataset.narrow));
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase().split(/\s+/);
      rows.forEach((row) => {
        const text = row.textContent.toLowerCase();
        row.hidden = !wanted.every((word) => text.includes(word)) && !one("input:checked", row);
      });
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
    });
  });

  // ---- choosing a dataset asks again for its copies ----
  all("[data-resend]").forEach((select) => select.addEventListener("change", () => {
    const url = new URL(select.dataset.resend, location.href);
    new FormData(select.form).forEach((value, name) => {
      if (name !== "csrf_token" && value) url.searchParams.set(name, value);
    });
    location.assign(url);
  }));

  // ---- shortcuts ----
  const help = one("#keys");
  const showHelp = () => help && !help.open && help.showModal();
  all("[data-help]").forEach((button) => button.addEventListener("click", showHelp));
  const follow = (selector) => {
    const link = one(selector);
    if (link) link.click();
    return Boolean(link);
  };
  const enter = (selector) => {
    const field = one(selector);
    if (field && field.offsetParent !== null) {
      reveal(field);
      field.focus();
      field.scrollIntoView({ block: "center" });
    }
    return Boolean(field);
  };
  const step = (by) => {
    const rows = all("[data-row]");
    if (!rows.length) return false;
    const at = rows.indexOf(document.activeElement);
    const next = rows[Math.min(Math.max(at + by, 0), rows.length - 1)];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
    return true;
  };
  const openFirst = (selector) => {
    const field = one(selector);
    if (field) reveal(field);
    return field ? enter(selector) : false;
  };
  const keys = {
    "?": () => { showHelp(); return true; },
    c: () => follow("[data-file-sev]"),
    "/": () => enter("[data-search]") || enter("#q"),
    j: () => step(1),
    k: () => step(-1),
    p: () => openFirst("#patch textarea"),
    n: () => openFirst("#note textarea"),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = event.target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
    if (typing) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (help && help.open) return;
    if (keys[event.key] && keys[event.key]()) event.preventDefault();
  });
  document.addEventListener("focusin", (event) => {
    all(".at").forEach((row) => row.classList.remove("at"));
    const row = event.target.closest("[data-row]");
    if (row) row.closest("tr, li").classList.add("at");
  });

  // ---- an open menu closes by itself ----
  document.addEventListener("click", (event) => {
    all("details.me[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });

  // ---- live regions ----
  const poll = () => document.getElementById("live-poll");
  if (!poll()) return;
  let kept = null;
  const reading = () => {
    const selection = window.getSelection();
    if (!selection || selection.isCollapsed || !selection.anchorNode) return false;
    const node = selection.anchorNode;
    const element = node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
    return Boolean(element && element.closest("[id^=live-], #now"));
  };
  // A hidden page asks nothing, and a page in which text is being marked isn't changed under the pointer.
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.id === "live-poll" && (document.hidden || reading())) event.preventDefault();
  });
  document.body.addEventListener("htmx:beforeSwap", () => {
    const focused = document.activeElement;
    kept = {
      focus: focused && focused !== document.body ? focused.id : "",
      open: all("[id^=live-] details[open][id]").map((details) => details.id),
    };
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.xhr) root.classList.toggle("out-of-touch", !event.detail.successful);
  });
  // Comes once for each region, after htmx has put the new attributes in place.
  document.body.addEventListener("htmx:afterSettle", () => {
    if (!kept) return;
    kept.open.forEach((id) => { const d = document.getElementById(id); if (d) d.open = true; });
    const lost = document.activeElement === document.body && kept.focus && document.getElementById(kept.focus);
    if (lost) lost.focus({ preventScroll: true });
    const target = marked();
    if (target && target.matches("li")) target.classList.add("target");
    const state = document.getElementById("live-state");
    const said = document.getElementById("said-status");
    const moved = document.getElementById("live-moved");
    if (state && said && moved) moved.hidden = said.textContent === state.dataset.status;
  });
})();
