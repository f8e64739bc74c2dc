/** The page of a city: the state of its controls, and what each of them changes. */

const LAYERS = ["minutes", "share", "score", "change"];

class CityPage {
  constructor(city, base) {
    this.city = city;
    this.state = this.firstState();
    this.paint = new CityPaint(city, base);
    this.evidence = new CityEvidence(city, this.paint, { select: (selected) => this.select(selected, true) });
    this.frame = new Frame({
      scene: (view) => this.paint.scene({ ...this.state, swipe: this.frame.swipe }, view),
      picked: (lon, lat) => this.pick(lon, lat),
      hovered: (lon, lat, at) => this.hovered(lon, lat, at),
      labels: () => this.labels(),
    });
    this.frame.view.home = city.home();
    this.frame.view.whole = city.box();
    this.frame.failed = () => this.tell();
    this.listen();
  }

  firstState() {
    const { first } = this.city.about;
    return {
      layer:
        this.city.cells.ids.length && this.city.about.whole
          ? "minutes"
          : this.city.cells.ids.length
            ? "change"
            : "share",
      c: first.c,
      m: first.m,
      p: 0,
      g: 0,
      level: this.city.firstLevel(),
      plan: this.city.about.whole ? -1 : 0,
      compare: "after",
      selected: null,
      doors: true,
      boundaries: true,
      streets: true,
      names: false,
    };
  }

  set(changes) {
    Object.assign(this.state, changes);
    const { state, city } = this;
    if (state.plan < 0 && state.layer === "change") state.layer = "minutes";
    const gone = state.selected?.kind === "area" && !city.hasArea(state.selected.row, this.paint.planShown(state));
    if (gone) state.selected = null;
    this.tell();
  }

  /** What a group can be counted by: its coverage is of some profiles alone, walks are of all. */
  walkers() {
    const { profiles, walkers } = this.city.about;
    return this.state.layer === "share" ? walkers[this.state.g] : [...profiles.keys()];
  }

  /** Levels that the layer has something of: scores are of one, mostly. */
  levels() {
    const { city } = this;
    const all = [...city.levels.keys()];
    if (this.state.layer !== "score") return all;
    const scored = new Set(city.score.about.area.map((area) => city.areas.level[area]));
    return all.filter((level) => scored.has(city.levels[level]));
  }

  listen() {
    const numbers = { class: "c", group: "g", minutes: "m" };
    for (const [id, name] of Object.entries(numbers)) {
      byId(id).addEventListener("change", (event) => this.set({ [name]: Number(event.target.value) }));
    }
    byId("profile").addEventListener("change", (event) => this.set({ p: this.walkers()[Number(event.target.value)] }));
    byId("level").addEventListener("change", (event) => this.set({ level: this.levels()[Number(event.target.value)] }));
    byId("layer").addEventListener("change", (event) => this.set({ layer: this.layers()[Number(event.target.value)] }));
    byId("scenario").addEventListener("change", (event) =>
      this.set({ plan: Number(event.target.value) - (this.city.about.whole ? 1 : 0) }),
    );
    for (const radio of document.querySelectorAll("input[name=compare]")) {
      radio.addEventListener("change", () => this.set({ compare: radio.value }));
    }
    for (const id of ["doors", "boundaries", "streets", "names"]) {
      byId(id).addEventListener("change", (event) => this.set({ [id]: event.target.checked }));
    }
    this.search = new Search(
      (text, most) => this.find(text, most),
      (found) => this.go(found),
    );
    byId("controls").addEventListener("submit", (event) => event.preventDefault());
  }

  layers() {
    const { city, state } = this;
    const can = {
      minutes: city.cells.ids.length > 0 && city.about.whole,
      share: city.outlines(this.paint.planShown(state)).count > 0,
      score: city.score !== null && city.shapes.count > 0,
      change: city.cells.ids.length > 0 && state.plan >= 0,
    };
    return LAYERS.filter((layer) => can[layer]);
  }

  /** Bring everything on the page to the state. */
  tell() {
    speak();
    this.controls();
    this.legend();
    byId("evidence").replaceChildren(...this.evidence.of(this.state).filter(Boolean));
    this.frame.draw();
  }

  controls() {
    const { city, state } = this;
    const { about } = city;
    const layers = this.layers();
    if (layers.length && !layers.includes(state.layer)) state.layer = layers[0];
    choices(
      "layer",
      layers.map((layer) => word(`layer_${layer}`)),
      layers.indexOf(state.layer),
    );
    choices("class", about.classes.map(called), state.c);
    const [walkers, levels] = [this.walkers(), this.levels()];
    if (walkers.length && !walkers.includes(state.p)) [state.p] = walkers;
    if (levels.length && !levels.includes(state.level)) [state.level] = levels;
    choices(
      "profile",
      walkers.map((p) => called(about.profiles[p])),
      walkers.indexOf(state.p),
    );
    choices("group", about.groups.map(called), state.g);
    choices(
      "minutes",
      about.minutes.map((n) => word("minutes_n", { n })),
      state.m,
    );
    choices(
      "level",
      levels.map((level) => city.nameOfLevel(city.levels[level])),
      levels.indexOf(state.level),
    );
    const plans = city.plans.map((plan) => plan.name);
    choices(
      "scenario",
      about.whole ? [word("scenario_none"), ...plans] : plans,
      about.whole ? state.plan + 1 : state.plan,
    );
    for (const radio of document.querySelectorAll("input[name=compare]")) radio.checked = radio.value === state.compare;
    this.visible();
    this.title();
    this.gains();
    this.notes();
  }

  visible() {
    const { city, state } = this;
    const areas = city.shapes.count > 0;
    const shown = {
      "class-field": state.layer !== "score",
      "minutes-field": state.layer === "share",
      "profile-field": state.layer !== "score" && city.about.profiles.length > 1,
      "group-field": state.layer !== "score" && city.about.groups.length > 1,
      "level-field": areas && city.levels.length > 1,
      "scenario-field": city.plans.length > 0,
      "compare-field": state.plan >= 0 && ["minutes", "share"].includes(state.layer),
      "doors-field": city.about.facilities.placed && state.layer !== "score",
      "boundaries-field": areas && ["minutes", "change"].includes(state.layer),
      "names-field": areas,
      "streets-field": this.paint.base.streets.length > 0,
    };
    for (const [id, is] of Object.entries(shown)) byId(id).hidden = !is;
    document.querySelector(".pair").hidden = !shown["profile-field"] && !shown["group-field"];
    this.frame.showSwipe(shown["compare-field"] && state.compare === "swipe");
  }

  title() {
    byId("title").textContent = this.city.about.title;
    document.title = this.city.about.title;
    byId("subtitle").textContent = this.legendTitle();
    byId("credit").textContent = called(this.city.about.credit);
  }

  legendTitle() {
    const { about } = this.city;
    const { layer, c, p, g, m, plan } = this.state;
    const of = [word(`layer_${layer}`)];
    if (layer !== "score") of.push(called(about.classes[c]), called(about.profiles[p]));
    if (layer === "share") of.push(word("minutes_n", { n: about.minutes[m] }));
    if (layer !== "score") of.push(called(about.groups[g]));
    if (plan >= 0) of.push(this.city.plans[plan].name);
    return of.join(" · ");
  }

  gains() {
    const { plan, c, p, g } = this.state;
    const place = byId("gains");
    place.hidden = plan < 0;
    if (plan < 0) return;
    const { gains, cost_yuan: cost, edits } = this.city.plans[plan];
    const row = gains.find((one) => one[0] === c && one[1] === g && one[2] === p);
    const about = [word("edits_n", { n: edits })];
    if (cost > 0) about.push(word("cost", { n: words.language === "zh" ? number(cost / 1e4, 2) : number(cost, 0) }));
    place.replaceChildren(
      element("span", { class: "strong" }, about.join(" · ")),
      element("br"),
      element("span", {}, this.told(row)),
    );
  }

  /** Who gains and who loses; without a row no walk changes, though coverage may. */
  told(row) {
    const { plan, c, p, g } = this.state;
    if (!row) return word(this.city.changesCoverage(c, g, p, plan) ? "gain_coverage" : "gain_none");
    const [up, down, minutes] = row.slice(3).map((value) => number(Math.abs(value), 1));
    const of = called(this.city.about.classes[c]);
    return word(row[5] < 0 ? "loss_summary" : "gain_summary", { class: of, up, down, minutes });
  }

  /** What a scenario changes beside walks. */
  changed() {
    const { city } = this;
    const { plan, g } = this.state;
    if (plan < 0) return [];
    const { movers, areas } = city.plans[plan];
    const told = [];
    if (movers.length) told.push(["plan_movers", { n: people(city.moved(g, plan)) }]);
    if (areas.length) told.push(["plan_areas", { n: areas.length }]);
    return told;
  }

  notes() {
    const keys = [...this.city.about.left_out, ...(this.city.about.whole ? [] : ["only_changed"])];
    if (!this.layers().length) keys.push("no_map");
    const told = [...this.changed(), ...keys.map((key) => [key, {}])];
    byId("notes").replaceChildren(
      ...told.map(([key, values]) => element("p", { class: "note", "data-note": key }, word(key, values))),
    );
  }

  legend() {
    if (!this.layers().length) {
      drawLegend("", [], []);
      return;
    }
    const { layer } = this.state;
    drawLegend(this.legendHead(layer), this.paint.legend(this.state), this.paint.marks(this.state));
  }

  legendHead(layer) {
    const { about } = this.city;
    if (layer === "score") return word("layer_score");
    const of = [called(about.classes[this.state.c])];
    if (layer === "share") of.push(word("minutes_n", { n: about.minutes[this.state.m] }));
    of.push(called(about.profiles[this.state.p]));
    if (this.paint.planShown(this.state) >= 0 && layer !== "change") of.push(word("after"));
    return of.join(" · ");
  }

  pick(lon, lat) {
    const areas = ["share", "score"].includes(this.state.layer);
    const plan = this.paint.planShown(this.state);
    const row = areas ? this.city.areaAt(lon, lat, this.state.level, plan) : this.city.cellAt(lon, lat);
    this.select(row < 0 ? null : { kind: areas ? "area" : "cell", row });
    if (row < 0)
      byId("evidence").replaceChildren(element("p", { class: "hint" }, word(areas ? "no_area_here" : "no_cell_here")));
  }

  select(selected, show = false) {
    this.state.selected = selected;
    if (selected && show) this.showIt(selected);
    document.body.classList.toggle("asked", selected !== null);
    this.tell();
    byId("evidence").scrollTop = 0;
  }

  showIt({ kind, row }) {
    if (kind === "area") {
      this.state.level = Math.max(0, this.city.levels.indexOf(this.city.areas.level[row]));
      const box = this.city.boxOfArea(row, this.paint.planShown(this.state));
      if (box[0] <= box[2]) this.frame.view.fit(box, 60);
    } else if (kind === "cell") {
      this.frame.view.fit(this.city.cells.shapes.box(row), 60);
      this.frame.view.zoom = Math.min(this.frame.view.zoom, 14);
    }
  }

  find(text, most) {
    const { areas, cells, about } = this.city;
    const found = [];
    const look = (values, make) => {
      for (let at = 0; at < values.length && found.length < most; at++) {
        const made = make(at);
        if (made) found.push(made);
      }
    };
    const has = (name) => name?.toLowerCase().includes(text);
    look(
      areas.id,
      (at) =>
        this.city.hasArea(at, this.paint.planShown(this.state)) &&
        (has(areas.name[at]) || has(areas.id[at])) && {
          text: this.city.nameOfArea(at),
          about: [areas.id[at], this.city.nameOfLevel(areas.level[at])].join(" · "),
          selected: { kind: "area", row: at },
        },
    );
    if (text.length > 6)
      look(
        cells.ids,
        (at) =>
          cells.ids[at].startsWith(text) && {
            text: cells.ids[at],
            about: word("cell"),
            selected: { kind: "cell", row: at },
          },
      );
    if (about.facilities.placed)
      look(
        about.facilities.id,
        (at) =>
          about.facilities.plan[at] < 0 &&
          (has(about.facilities.name[at]) || about.facilities.id[at].toLowerCase() === text) &&
          this.foundFacility(at),
      );
    return found;
  }

  foundFacility(at) {
    const { name, id, first } = this.city.about.facilities;
    const c = first.findIndex((from, n) => at >= from && at < first[n + 1]);
    return { text: name[at] || id[at], about: called(this.city.about.classes[c]), facility: at, c };
  }

  go(found) {
    if (found.selected) {
      this.select(found.selected, true);
      return;
    }
    const [lon, lat] = ["lon", "lat"].map((of) => this.city.doors[of][found.facility] / 1e6);
    this.frame.view.fit([lon, lat, lon, lat]);
    this.frame.view.zoom = 15;
    const row = this.city.cellAt(lon, lat);
    this.state.c = found.c;
    this.select(row < 0 ? null : { kind: "cell", row });
  }

  hovered(lon, lat, [left, top]) {
    const door = this.doorAt(left, top);
    if (door >= 0) return [this.city.nameOfFacility(door)];
    const { layer, c, p, g, m } = this.state;
    const plan = this.paint.planShown(this.state);
    if (["share", "score"].includes(layer)) {
      const area = this.city.areaAt(lon, lat, this.state.level, plan);
      if (area < 0) return [];
      if (layer === "score") return [this.city.nameOfArea(area)];
      const row = this.city.coverage(c, g, p, m, area, plan);
      if (!row) return [this.city.nameOfArea(area), word("not_computed")];
      return [
        this.city.nameOfArea(area),
        row.share === null ? word("nobody_lives_here") : `${fixed(row.share / 10)} %`,
      ];
    }
    const cell = this.city.cellAt(lon, lat);
    if (cell < 0) return [];
    const walk = this.city.walks(c, p, plan)[cell];
    const tenths = this.city.tenths(walk);
    const time = tenths === null ? this.evidence.reason(walk) : word("minutes_n", { n: fixed(tenths / 600) });
    return [time, word("people_n", { n: people(this.city.people(g, plan)[cell]) })];
  }

  doorAt(left, top) {
    if (!this.state.doors || !this.city.about.facilities.placed || this.state.layer === "score") return -1;
    const near = (at) => {
      const [x, y] = this.frame.view.toScreen(this.city.doors.lon[at] / 1e6, this.city.doors.lat[at] / 1e6);
      return Math.hypot(x - left, y - top) < 7;
    };
    return this.city.doorsOf(this.state.c, this.paint.planShown(this.state)).find(near) ?? -1;
  }

  labels() {
    const plan = this.paint.planShown(this.state);
    if (!this.state.names || !this.city.outlines(plan).count) return [];
    return this.city.once(`labels ${this.state.level} ${this.paint.areasUnder(plan)}`, () =>
      labelsOf(
        this.city.outlines(plan),
        (row) => this.city.areas.level[row] === this.city.levels[this.state.level],
        (row) => this.city.nameOfArea(row),
      ),
    );
  }

  about() {
    const { about } = this.city;
    const inputs = Object.entries(about.inputs).map(([name, hash]) =>
      element("li", {}, `${name} `, element("code", {}, hash)),
    );
    return [
      element("p", {}, word("about_method")),
      this.city.shapes.count ? element("p", {}, word("about_outlines", { n: Math.round(about.areas.grid / 9) })) : null,
      element("p", {}, word("about_offline")),
      element("p", {}, word(this.frame.plain ? "about_plain" : "about_card")),
      inputs.length ? element("h3", {}, word("about_inputs")) : null,
      inputs.length ? element("ul", {}, ...inputs) : null,
    ];
  }
}

/** A name for the largest polygon of each row, at the middle of its corners. */
function labelsOf(shapes, allowed, nameOf) {
  const largest = new Map();
  shapes.boxes().forEach(([west, south, east, north], p) => {
    const row = shapes.row[p];
    if (!allowed(row)) return;
    const size = (east - west) * (north - south);
    if (!(largest.get(row)?.size >= size))
      largest.set(row, { row, size, lon: (west + east) / 2, lat: (south + north) / 2 });
  });
  return [...largest.values()]
    .sort((a, b) => b.size - a.size)
    .map(({ row, lon, lat }) => ({ text: nameOf(row), lon, lat }));
}
