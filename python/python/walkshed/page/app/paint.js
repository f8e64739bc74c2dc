/** What the map shows for a state of the controls: the items of a scene, and the rows of its legend. */

class CityPaint {
  constructor(city, base) {
    Object.assign(this, { city, base, colours: city.about.colours });
  }

  scene(state, view) {
    const items = [this.water(), ...this.main(state, view), ...this.streets(state, view), ...this.borders(state)];
    const cut = this.swiping(state) ? [view.fromScreen(view.width * state.swipe, 0)[0], 180] : null;
    items.push(...this.edits(state, cut), ...this.doors(state, view, cut), ...this.highlight(state));
    return items.filter((item) => item !== null);
  }

  swiping(state) {
    return state.plan >= 0 && state.compare === "swipe" && ["minutes", "share"].includes(state.layer);
  }

  water() {
    if (!this.base.water.count) return null;
    const colours = this.city.once("water", () => flat(this.base.water.count, () => rgba(this.colours.water)));
    return { kind: "fill", id: "water", version: "", shapes: this.base.water, colours };
  }

  /** Cells or areas; twice, each cut at the handle, while before and after are compared. */
  main(state, view) {
    if (!this.swiping(state)) return [this.fill(state, this.planShown(state), "main", null)];
    const [lon] = view.fromScreen(view.width * state.swipe, 0);
    return [this.fill(state, -1, "before", [-180, lon]), this.fill(state, state.plan, "after", [lon, 180])];
  }

  planShown(state) {
    return state.plan >= 0 && state.compare !== "before" ? state.plan : -1;
  }

  fill(state, plan, id, clip) {
    const version = [state.layer, state.c, state.p, state.g, state.m, state.level, plan, state.plan].join();
    const cells = ["minutes", "change"].includes(state.layer);
    const shapes = cells ? this.city.cells.shapes : this.city.outlines(plan);
    if (!shapes.count) return null;
    const colours = this.recent(`${version} ${id}`, () => this.coloured(state, plan, shapes));
    const drawn = cells ? "cells" : this.areasUnder(plan);
    return { kind: "fill", id: `${id} ${drawn}`, version, shapes, colours, clip };
  }

  /** A name for the outlines that are drawn: those of a scenario that changes some are others. */
  areasUnder(plan) {
    return this.city.outlines(plan) === this.city.shapes ? "areas" : `areas ${plan}`;
  }

  /** The last few colourings; each is as large as the city. */
  recent(key, make) {
    this.last ??= new Map();
    const colours = this.last.get(key) ?? make();
    this.last.delete(key);
    this.last.set(key, colours);
    if (this.last.size > 6) this.last.delete(this.last.keys().next().value);
    return colours;
  }

  coloured(state, plan, shapes) {
    if (state.layer === "minutes") return this.minutes(state, plan);
    if (state.layer === "change") return this.changes(state);
    const of = state.layer === "share" ? this.shareColour(state, plan) : this.scoreColour();
    const level = this.city.levels[state.level];
    // What a scenario makes may lie over other areas, whose colours must not show through.
    const over = plan < 0 ? [] : this.city.plans[plan].areas;
    return flat(shapes.count, (p) => {
      const area = shapes.row[p];
      if (this.city.areas.level[area] !== level) return [0, 0, 0, 0];
      const colour = of(area);
      if (over.includes(area)) colour[3] = 255;
      return colour;
    });
  }

  minutes({ c, p }, plan) {
    const palette = [...this.colours.minutes, this.colours.not_reached].map((hex) => rgba(hex, 225));
    const walks = this.city.walks(c, p, plan);
    return flat(walks.length, (at) => palette[this.city.band(walks[at])]);
  }

  changes({ c, p, plan }) {
    const palette = Object.fromEntries(CHANGES.map((name) => [name, rgba(this.colours.change[name], 235)]));
    const [before, after] = [this.city.walks(c, p), this.city.walks(c, p, plan)];
    return flat(before.length, (at) => palette[this.city.change(before[at], after[at])]);
  }

  shareColour({ c, g, p, m }, plan) {
    return (area) => {
      const place = this.shareClass(this.city.coverage(c, g, p, m, area, plan));
      return rgba(this.shareColours()[place], 225);
    };
  }

  /** Classes of shares, where nobody lives, and where none was computed. */
  shareColours() {
    return [...this.colours.share, this.colours.not_reached, this.colours.no_data];
  }

  shareClass(row) {
    const classes = this.colours.share.length;
    if (row === null) return classes + 1;
    return row.share === null ? classes : row.kind;
  }

  scoreColour() {
    const { observed, breaks } = this.city.score.about;
    return (area) => {
      const at = this.city.score.place.get(area);
      const score = at === undefined ? null : observed[at];
      if (score === null) return rgba(this.colours.not_reached, 225);
      return rgba(this.colours.score[breaks.filter((limit) => score > limit).length], 225);
    };
  }

  streets(state, view) {
    return state.streets ? streetLines(this.base, this.colours.streets, view) : [];
  }

  borders(state) {
    const plan = this.planShown(state);
    if (!this.city.outlines(plan).count || (!state.boundaries && !["share", "score"].includes(state.layer))) return [];
    const id = `borders ${state.level} ${this.areasUnder(plan)}`;
    const paths = this.city.once(id, () => this.ringsOf(state.level, plan));
    return [{ kind: "lines", id, paths, colour: [60, 72, 88, 130], width: 1 }];
  }

  ringsOf(level, plan) {
    const { areas, levels } = this.city;
    const shapes = this.city.outlines(plan);
    const rings = [];
    for (let p = 0; p < shapes.count; p++) {
      if (areas.level[shapes.row[p]] === levels[level]) rings.push(...shapes.rings(p));
    }
    return pathsOf(rings);
  }

  doors(state, view, clip) {
    const { facilities } = this.city.about;
    if (!state.doors || !facilities.placed || ["score"].includes(state.layer)) return [];
    const plan = this.planShown(state);
    const all = this.city.doorsOf(state.c, plan);
    const old = all.filter((at) => facilities.plan[at] === -1);
    const made = all.filter((at) => facilities.plan[at] !== -1);
    const items = [
      {
        kind: "points",
        places: this.places(old),
        radius: view.metresPerPixel() > 12 ? 2.5 : 3.5,
        fill: rgba(this.colours.doors),
        edge: rgba("#ffffff"),
      },
    ];
    if (made.length)
      items.push({
        kind: "points",
        places: this.places(made),
        radius: 7,
        fill: rgba(this.colours.made),
        edge: rgba("#ffffff"),
        clip,
      });
    return items.map((item, n) => ({ ...item, id: `doors ${n}` }));
  }

  places(ends) {
    const { lon, lat } = this.city.doors;
    return Float64Array.from(ends.flatMap((at) => [lon[at] / 1e6, lat[at] / 1e6]));
  }

  /** Links and places that the scenario is about. */
  edits(state, clip) {
    if (this.planShown(state) < 0) return [];
    const { drawn } = this.city.plans[state.plan];
    const lines = drawn.filter((edit) => edit.places.length > 1).map((edit) => Float64Array.from(edit.places.flat()));
    const others = drawn.filter((edit) => edit.places.length === 1 && !edit.do.endsWith("_facility"));
    const items = [];
    if (lines.length)
      items.push({
        kind: "lines",
        id: "edits",
        paths: pathsOf(lines),
        colour: rgba(this.colours.made),
        width: 4,
        clip,
      });
    if (others.length) {
      const places = Float64Array.from(others.flatMap((edit) => edit.places[0]));
      items.push({
        kind: "points",
        id: "edit places",
        places,
        radius: 5,
        fill: rgba("#ffffff"),
        edge: rgba(this.colours.made),
        clip,
      });
    }
    return items;
  }

  highlight(state) {
    const { selected } = state;
    if (!selected) return [];
    const plan = this.planShown(state);
    const [shapes, of] =
      selected.kind === "cell"
        ? [this.city.cells.shapes, "cell"]
        : [this.city.outlines(plan), this.areasUnder(plan)];
    return marked(shapes, selected.row, `${of} ${selected.row}`);
  }

  /** Rows of the legend: colour, label, and how much of the city it is. */
  legend(state) {
    if (state.layer === "minutes") return this.minutesLegend(state);
    if (state.layer === "change") return this.changeLegend(state);
    if (state.layer === "share") return this.shareLegend(state);
    return this.scoreLegend(state);
  }

  minutesLegend(state) {
    const { minutes } = this.city.about;
    const counts = this.city.bands(state.c, state.g, state.p, this.planShown(state));
    const all = counts.reduce((sum, count) => sum + count, 0);
    const label = (n) =>
      n === 0
        ? word("minutes_up_to", { n: minutes[0] })
        : word("minutes_between", { a: minutes[n - 1], b: minutes[n] });
    return [...minutes.map((_, n) => label(n)), word("not_reached", { n: minutes[minutes.length - 1] })].map(
      (text, n) => ({
        colour: this.colours.minutes[n] ?? this.colours.not_reached,
        text,
        count: word("people_n", { n: number(counts[n] / 10) }),
        part: all > 0 ? `${fixed((counts[n] / all) * 100)} %` : "",
      }),
    );
  }

  changeLegend({ c, p, g, plan }) {
    const sums = Object.fromEntries(CHANGES.map((name) => [name, 0]));
    const [before, after, who] = [this.city.walks(c, p), this.city.walks(c, p, plan), this.city.people(g)];
    for (let at = 0; at < before.length; at++) sums[this.city.change(before[at], after[at])] += who[at];
    return CHANGES.map((name) => ({
      colour: this.colours.change[name],
      text: word(name),
      count: word("people_n", { n: number(sums[name] / 10) }),
    }));
  }

  shareLegend(state) {
    const { c, g, p, m, level } = state;
    const plan = this.planShown(state);
    const counts = this.shareColours().map(() => 0);
    this.city.areas.id.forEach((_, area) => {
      if (this.city.areas.level[area] !== this.city.levels[level] || !this.city.hasArea(area, plan)) return;
      counts[this.shareClass(this.city.coverage(c, g, p, m, area, plan))] += 1;
    });
    const edges = [0, ...this.city.about.share_breaks, 100];
    const classes = this.colours.share.map((_, n) => `${edges[n]}–${edges[n + 1]} %`);
    const texts = [...classes, word("nobody_lives_here"), word("not_computed")];
    return texts
      .map((text, n) => ({ colour: this.shareColours()[n], text, count: word("areas_n", { n: counts[n] }) }))
      .filter((_, n) => n < classes.length || counts[n]);
  }

  scoreLegend({ level }) {
    const { observed, breaks, area } = this.city.score.about;
    const counts = new Array(breaks.length + 2).fill(0);
    observed.forEach((score, at) => {
      if (this.city.areas.level[area[at]] !== this.city.levels[level]) return;
      counts[score === null ? breaks.length + 1 : breaks.filter((limit) => score > limit).length] += 1;
    });
    const ends = breaks.map((limit) => fixed(limit));
    const text = (n) => {
      if (n > breaks.length) return called(this.city.score.about.statuses.unknown);
      if (!breaks.length) return word("score");
      return n === 0 ? `≤ ${ends[0]}` : n === breaks.length ? `> ${ends[n - 1]}` : `${ends[n - 1]}–${ends[n]}`;
    };
    return counts
      .map((count, n) => ({
        colour: n > breaks.length ? this.colours.not_reached : this.colours.score[n],
        text: text(n),
        count: word("areas_n", { n: count }),
      }))
      .filter((_, n) => n <= breaks.length || counts[n]);
  }

  /** What else the legend explains. */
  marks(state) {
    const marks = [];
    if (state.doors && this.city.about.facilities.placed && state.layer !== "score") {
      marks.push({ colour: this.colours.doors, kind: "dot", text: word("facility_here") });
      if (this.planShown(state) >= 0)
        marks.push({ colour: this.colours.made, kind: "dot large", text: word("facility_new") });
    }
    if (
      this.planShown(state) >= 0 &&
      this.city.plans[state.plan].drawn.some((edit) => !edit.do.endsWith("_facility"))
    ) {
      marks.push({ colour: this.colours.made, kind: "line", text: word("edit_here") });
    }
    return marks;
  }
}

/** A colour for each of so many. */
function flat(count, colour) {
  const bytes = new Uint8Array(4 * count);
  for (let at = 0; at < count; at++) bytes.set(colour(at), 4 * at);
  return bytes;
}

/** Streets by rank, the larger the wider; small ones only where a pixel is few metres. */
function streetLines(base, colour, view) {
  const widest = [3, 8, 25, Infinity];
  const shown = base.streets.filter(({ rank }) => view.metresPerPixel() < widest[rank]);
  return shown.map(({ rank, paths }) => ({
    kind: "lines",
    id: `streets ${rank}`,
    paths,
    colour: rgba(colour, [110, 120, 150, 170][rank]),
    width: [0.6, 0.8, 1.1, 1.8][rank],
  }));
}

/** The outline of a row that is selected. */
function marked(shapes, row, id) {
  const rings = [];
  for (let p = 0; p < shapes.count; p++) if (shapes.row[p] === row) rings.push(...shapes.rings(p));
  const paths = pathsOf(rings);
  return [
    { kind: "lines", id: `halo ${id}`, paths, colour: rgba("#ffffff"), width: 6 },
    { kind: "lines", id: `mark ${id}`, paths, colour: rgba("#111827"), width: 2.5 },
  ];
}
