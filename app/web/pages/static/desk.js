// What is nicer with a script; everything works without. Keys on lists: j and k go down and up, / searches, ? tells.
const rows = [...document.querySelectorAll("[data-keys] tbody tr")];
let at = -1;
function go(to) {
  if (!rows.length) return;
  rows[at]?.classList.remove("here");
  at = Math.min(Math.max(to, 0), rows.length - 1);
  rows[at].classList.add("here");
  const link = rows[at].querySelector("a");
  link.focus({ preventScroll: true });
  rows[at].scrollIntoView({ block: "nearest" });
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select")) return;
  if (event.key === "j") go(at + 1);
  else if (event.key === "k") go(at - 1);
  else if (event.key === "/" && document.getElementById("q")) { event.preventDefault(); document.getElementById("q").focus(); }
  else if (event.key === "n" && document.querySelector("[data-next]")) document.querySelector("[data-next]").click();
  else if (event.key === "?" && document.getElementById("keys")) {
    document.getElementById("keys").open = true;
    document.querySelector("#keys summary").focus();
  }
});

// An assessment is saved by itself a moment after the last change, one save after the other: each sends the version that
// the one before it made. What is sent by hand waits for them to end.
const form = document.querySelector("form[data-saved]");
if (form) {
  const told = form.querySelector("[data-told]");
  let timer, saves = Promise.resolve(), waiting = 0;
  async function save() {
    const sent = new URLSearchParams(new FormData(form));
    sent.set("deed", "save");
    try {
      const answer = await fetch(form.action, { method: "POST", body: sent });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!answer.ok) throw new Error(answer.status);
      form.elements.seen.value = page.querySelector("[name=seen]").value;
      told.textContent = `${form.dataset.saved} ${new Date().toTimeString().slice(0, 5)}`;
    } catch {
      told.textContent = form.dataset.unsaved;
    }
    waiting -= 1;
  }
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => { waiting += 1; saves = saves.then(save); }, 1200);
  });
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    if (!waiting) return;
    event.preventDefault();
    saves.then(() => form.requestSubmit(event.submitter));
  });
}
