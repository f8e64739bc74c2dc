/** The page of a table of shapes, coloured by one of its columns. */

class TablePage {
  constructor(block, base) {
    Object.assign(this, { block, base, table: block.about, selected: null, names: false });
    this.shapes = shapesOf(block, "ring");
    this.kind = block.column("kind");
    this.colours = flat(this.shapes.count, (p) => this.colourOf(this.kind[this.shapes.row[p]]));
    this.frame = new Frame({
      scene: (view) => this.scene(view),
      picked: (lon, lat) => this.pick(lon, lat),
      hovered: (lon, lat) => this.hovered(lon, lat),
      labels: () => [],
    });
    this.frame.view.home = this.frame.view.whole = this.shapes.boxes().reduce(around, NOWHERE);
    this.frame.failed = () => this.tell();
    this.search = new Search(
      (text, most) => this.find(text, most),
      (found) => this.select(found.row, true),
    );
    byId("controls").addEventListener("submit", (event) => event.preventDefault());
    byId("streets").addEventListener("change", () => this.frame.draw());
  }

  colourOf(kind) {
    return rgba(this.table.kind_colours[kind] ?? this.table.colours.not_reached, 215);
  }

  scene(view) {
    const { colours } = this.table;
    const items = [];
    if (this.base.water.count) {
      this.water ??= flat(this.base.water.count, () => rgba(colours.water));
      items.push({ kind: "fill", id: "water", version: "", shapes: this.base.water, colours: this.water });
    }
    if (this.shapes.count) {
      items.push({ kind: "fill", id: "rows", version: "", shapes: this.shapes, colours: this.colours });
      items.push({ kind: "lines", id: "borders", paths: bordersOf(this.shapes), colour: [60, 72, 88, 130], width: 1 });
    }
    if (byId("streets").checked) items.push(...streetLines(this.base, colours.streets, view));
    if (this.selected !== null) items.push(...marked(this.shapes, this.selected, `row ${this.selected}`));
    return items;
  }

  tell() {
    speak();
    for (const field of document.querySelectorAll("#controls > :not(#search-field):not(#notes), .pair > *"))
      field.hidden = true;
    const streets = this.base.streets.length > 0;
    document.querySelector(".checks").hidden = !streets;
    for (const label of document.querySelectorAll(".checks label"))
      label.hidden = label.id !== "streets-field" || !streets;
    byId("title").textContent = document.title = this.table.title;
    byId("subtitle").textContent = word("rows_n", { n: number(this.table.rows) });
    byId("credit").textContent = called(this.table.credit);
    drawLegend(this.table.column ?? "", this.legend(), []);
    byId("evidence").replaceChildren(...this.evidence());
    this.frame.draw();
  }

  legend() {
    const counts = new Array(this.table.kinds.length + 1).fill(0);
    for (const kind of this.kind) counts[kind] += 1;
    return counts
      .map((count, kind) => ({
        colour: this.table.kind_colours[kind] ?? this.table.colours.not_reached,
        text: kind < this.table.kinds.length ? this.table.kinds[kind] : word("no_value"),
        count: word("rows_n", { n: number(count) }),
      }))
      .filter((_, kind) => kind < this.table.kinds.length || counts[kind]);
  }

  evidence() {
    if (this.selected === null) return [element("p", { class: "hint" }, word("evidence_hint_table"))];
    const head = [word("column"), word("value")].map((text) => element("th", { scope: "col" }, text));
    const rows = Object.entries(this.table.columns).map(([name, values]) =>
      element(
        "tr",
        { class: name === this.table.column ? "current" : null },
        element("th", { scope: "row" }, name),
        element("td", {}, values[this.selected] ?? word("no_value")),
      ),
    );
    return [
      element(
        "table",
        { class: "row" },
        element("thead", {}, element("tr", {}, ...head)),
        element("tbody", {}, ...rows),
      ),
    ];
  }

  pick(lon, lat) {
    const row = this.shapes.rowAt(lon, lat, () => true);
    this.select(row < 0 ? null : row);
  }

  select(row, show = false) {
    this.selected = row;
    if (show) {
      const box = this.shapes
        .boxes()
        .filter((_, p) => this.shapes.row[p] === row)
        .reduce(around, NOWHERE);
      if (box[0] <= box[2]) this.frame.view.fit(box, 60);
    }
    document.body.classList.toggle("asked", row !== null);
    this.tell();
  }

  find(text, most) {
    const found = [];
    const columns = Object.entries(this.table.columns);
    for (let row = 0; row < this.table.rows && found.length < most; row++) {
      const hit = columns.find(([, values]) => values[row]?.toLowerCase().includes(text));
      if (hit) found.push({ row, text: hit[1][row], about: `${hit[0]} · ${row + 1}` });
    }
    return found;
  }

  hovered(lon, lat) {
    const row = this.shapes.rowAt(lon, lat, () => true);
    if (row < 0 || this.table.column === null) return [];
    return [this.table.columns[this.table.column][row] ?? word("no_value")];
  }

  about() {
    return [
      element("p", {}, word("about_offline")),
      element("p", {}, word(this.frame.plain ? "about_plain" : "about_card")),
    ];
  }
}
