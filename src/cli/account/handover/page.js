
"use strict";
const status = document.getElementById("status");

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // A page that came over plain HTTP has no clipboard of this kind.
    const area = document.createElement("textarea");
    area.className = "unseen";
    area.value = text;
    document.body.append(area);
    area.select();
    let done = false;
    try {
      done = document.execCommand("copy");
    } catch {
      // Said below.
    }
    area.remove();
    return done;
  }
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const done = await copy(source.textContent);
    button.focus();
    button.textContent = done ? "Copied" : "Not copied";
    status.textContent = (done ? "Copied: " : "Not copied, the text is selected instead: ") + button.dataset.name;
    if (!done) {
      const details = source.closest("details");
      if (details) details.open = true;
      getSelection().selectAllChildren(source);
    }
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}
