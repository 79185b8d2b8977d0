/* What the review site adds to Django's own scripts: room for wide tables, and a word where one is still wider. */
(() => {
  "use strict";
  const words = document.currentScript.dataset.sideways, key = "django.admin.navSidebarIsOpen";
  /* In a window that is not wide the list of forms begins closed; who opens it has it open. */
  const first = localStorage.getItem(key) === null && innerWidth < 1500;
  if (first) localStorage.setItem(key, "false");

  addEventListener("DOMContentLoaded", () => {
    if (first) localStorage.removeItem(key);
    for (const region of document.querySelectorAll(".scroll, #changelist-form .results")) {
      const hint = document.createElement("p");
      hint.className = "sideways";
      hint.textContent = words;
      region.before(hint);
      if (!region.hasAttribute("tabindex")) {
        region.tabIndex = 0;
        region.setAttribute("role", "region");
        region.setAttribute("aria-label", document.querySelector("h1").textContent);
      }
      const look = () => { hint.hidden = region.scrollWidth <= region.clientWidth + 1; };
      new ResizeObserver(look).observe(region);
      region.addEventListener("toggle", look, true);
      look();
    }
  });
})();
