// Keys on lists: j and k go down and up, Enter opens, / searches, ? tells. Everything works without this.
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
