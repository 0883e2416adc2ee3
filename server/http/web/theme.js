// Before the first paint, so that nobody is blinded: the theme that was chosen, else the system's.
"use strict";
try {
  const chosen = localStorage.getItem("pytoon-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage may be forbidden; then the system's theme holds.
}
