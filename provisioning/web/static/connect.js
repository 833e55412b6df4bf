// Copy buttons, and the wait for a provider's first request. Without this, both are done by hand.

const EVERY_MS = 2000;

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}

// A second press of a button that makes a secret would only be told that the name is taken.
for (const form of document.querySelectorAll("[data-once]")) {
  form.addEventListener("submit", () => {
    for (const button of form.querySelectorAll("[type=submit]")) setTimeout(() => (button.disabled = true));
  });
}

const waiting = document.querySelector("[data-status]");
if (waiting) watch(waiting);

async function copy(button) {
  const field = document.getElementById(button.dataset.copy);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    document.execCommand("copy"); // A page without https has no clipboard of its own.
  }
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), EVERY_MS);
}

async function watch(place) {
  const part = (name) => place.querySelector(`[data-${name}]`);
  for (;;) {
    await new Promise((done) => setTimeout(done, EVERY_MS));
    if (document.hidden) continue;
    const status = await ask(place.dataset.status);
    part("lost").hidden = status !== null;
    if (status?.last_rejected_at) {
      part("refused").querySelector("[data-at]").textContent = status.last_rejected_at;
      part("refused").querySelector("[data-why]").textContent = status.last_rejected;
      part("refused").hidden = false;
    }
    if (status?.last_request_at) {
      part("heard").querySelector("[data-at]").textContent = status.last_request_at;
      part("heard").querySelector("[data-from]").textContent = status.last_request_from;
      part("heard").hidden = false;
      part("waiting").hidden = true;
      return;
    }
  }
}

// Returns null when there is no answer: Usher is away, or the session is over.
async function ask(url) {
  try {
    const answer = await fetch(url, { redirect: "error" });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}
