/** A box to type in that finds areas, cells and facilities; up, down, Enter and Escape work as in any such box. */

const MOST_FOUND = 8;

class Search {
  constructor(find, choose) {
    Object.assign(this, { find, choose, found: [], active: -1 });
    this.box = byId("search");
    this.list = byId("found");
    this.box.addEventListener("input", () => this.look());
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("blur", () => setTimeout(() => this.hide(), 150));
  }

  look() {
    const text = this.box.value.trim().toLowerCase();
    this.found = text ? this.find(text, MOST_FOUND) : [];
    this.active = this.found.length ? 0 : -1;
    this.show(text);
  }

  show(text) {
    const rows = this.found.map((one, n) => this.row(one, n));
    if (text && !rows.length)
      rows.push(element("li", { class: "none", role: "option", "aria-disabled": "true" }, word("search_none")));
    this.list.replaceChildren(...rows);
    this.list.hidden = !rows.length;
    this.box.setAttribute("aria-expanded", String(rows.length > 0));
    this.mark();
  }

  row(one, n) {
    const row = element(
      "li",
      { role: "option", id: `found-${n}` },
      element("span", {}, one.text),
      element("small", {}, one.about),
    );
    row.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.take(n);
    });
    return row;
  }

  mark() {
    [...this.list.children].forEach((row, n) => row.setAttribute("aria-selected", String(n === this.active)));
    if (this.active >= 0) this.box.setAttribute("aria-activedescendant", `found-${this.active}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.found.length) this.active = (this.active + step + this.found.length) % this.found.length;
    else if (event.key === "Enter") this.take(this.active);
    else if (event.key === "Escape") this.hide();
    else return;
    event.preventDefault();
    this.mark();
  }

  take(n) {
    if (n < 0 || !this.found[n]) return;
    this.box.value = this.found[n].text;
    this.choose(this.found[n]);
    this.hide();
  }

  hide() {
    this.list.hidden = true;
    this.box.setAttribute("aria-expanded", "false");
  }
}
