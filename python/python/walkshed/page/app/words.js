/** Words in the language of the reader. Names from data go into the page as text alone, never as markup. */

const words = { of: {}, language: "zh" };

function word(key, values = {}) {
  const pair = words.of[key] ?? [key, key];
  const text = pair[words.language === "zh" ? 0 : 1];
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

const called = (thing) => thing[words.language];

/** A number with at most `digits` decimals, grouped. */
function number(value, digits = 0) {
  return plain(new Intl.NumberFormat("en-US", { maximumFractionDigits: digits }).format(value));
}

/** A number with exactly `digits` decimals, grouped. */
function fixed(value, digits = 1) {
  const format = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return plain(new Intl.NumberFormat("en-US", format).format(value));
}

/** Nothing has no sign. */
const plain = (told) => (/[1-9∞]/.test(told) ? told : told.replace("-", ""));

/** People are counted in tenths. */
const people = (tenths) => number(tenths / 10, 1);

function element(tag, of = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(of)) {
    if (name === "class") made.className = value;
    else if (name === "click") made.addEventListener("click", value);
    else if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...inside.filter((one) => one !== null && one !== undefined));
  return made;
}

/** A patch of colour; set by the style object, which the policy of the page allows. */
function swatch(colour, kind = "patch") {
  const made = element("span", { class: kind, "aria-hidden": "true" });
  if (colour) made.style.backgroundColor = colour;
  return made;
}

const byId = (id) => document.getElementById(id);

function speak() {
  document.documentElement.lang = words.language === "zh" ? "zh-CN" : "en";
  for (const one of document.querySelectorAll("[data-word]")) one.textContent = word(one.dataset.word);
  for (const one of document.querySelectorAll("[data-label]")) {
    one.setAttribute("aria-label", word(one.dataset.label));
    if (one.tagName === "BUTTON") one.title = word(one.dataset.label);
  }
  for (const one of document.querySelectorAll("[data-hint]")) one.placeholder = word(one.dataset.hint);
}
