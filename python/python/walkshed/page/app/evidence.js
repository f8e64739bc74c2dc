/** What the numbers of a cell or an area stand on. */

class CityEvidence {
  constructor(city, paint, { select }) {
    Object.assign(this, { city, paint, select });
  }

  of(state) {
    if (!state.selected) return [element("p", { class: "hint" }, word("evidence_hint"))];
    return state.selected.kind === "cell" ? this.cell(state, state.selected.row) : this.area(state, state.selected.row);
  }

  cell(state, at) {
    const { city } = this;
    const id = city.cells.ids[at];
    const [lat, lon] = h3.cellToLatLng(id);
    return [
      element("h2", {}, `${word("cell")} ${id}`),
      this.people(state, (g, plan) => people(city.people(g, plan)[at])),
      this.areasOf(lon, lat, this.paint.planShown(state)),
      this.walks(state, at),
    ];
  }

  /** Everybody and each group, and how many they are then; `told` gives the number of a group under a scenario. */
  people(state, told) {
    const plan = this.paint.planShown(state);
    const rows = this.city.about.groups.map((group, g) => {
      const [before, after] = [told(g, -1), told(g, plan)];
      const count = element("dd", { "data-people": group.id }, before);
      if (after !== before) count.append(element("span", { class: "after" }, "→ ", after));
      return element("div", {}, element("dt", {}, g ? called(group) : word("people")), count);
    });
    return element("dl", { class: "facts" }, ...rows);
  }

  areasOf(lon, lat, plan) {
    const at = (_, level) => this.city.areaAt(lon, lat, level, plan);
    const found = this.city.levels.map(at).filter((area) => area >= 0);
    if (!found.length) return null;
    const buttons = found.map((area) =>
      element(
        "button",
        { type: "button", class: "link", click: () => this.select({ kind: "area", row: area }) },
        this.city.nameOfArea(area),
      ),
    );
    return element("p", { class: "within" }, `${word("in_area")} `, ...buttons);
  }

  walks(state, at) {
    const after = this.paint.planShown(state) >= 0;
    const head = [word("class"), word("time"), word("nearest")].map((text) => element("th", { scope: "col" }, text));
    const rows = this.city.about.classes.map((of, c) => this.walkRow(state, at, of, c, after));
    return element(
      "table",
      { class: "walks" },
      element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...rows),
    );
  }

  walkRow(state, at, of, c, after) {
    const { p, plan } = state;
    const before = this.city.walks(c, p)[at];
    const now = after ? this.city.walks(c, p, plan)[at] : before;
    const time = element("td", { class: "time" }, this.time(before));
    if (now !== before) time.append(element("span", { class: "after" }, "→ ", this.time(now)));
    const end = element("td", { class: "end" }, this.end(c, p, at, -1));
    if (after && this.endOf(c, p, at, plan) !== this.endOf(c, p, at, -1))
      end.append(element("span", { class: "after" }, "→ ", this.end(c, p, at, plan)));
    const name = element("th", { scope: "row" }, swatch(this.colourOf(now)), called(of));
    return element("tr", { "data-class": of.id, class: c === state.c ? "current" : null }, name, time, end);
  }

  colourOf(walk) {
    const { minutes, not_reached: none } = this.paint.colours;
    return minutes[this.city.band(walk)] ?? none;
  }

  time(walk) {
    const tenths = this.city.tenths(walk);
    if (tenths === null) return element("span", { class: "none" }, this.reason(walk));
    return element(
      "span",
      {},
      word("minutes_n", { n: fixed(tenths / 600) }),
      element("small", {}, word("seconds_n", { n: fixed(tenths / 10) })),
    );
  }

  reason(walk) {
    const { reasons, reason_words: told, minutes, whole } = this.city.about;
    const reason = reasons[walk];
    if (reason === "not_known") return word(whole ? "not_known" : "unchanged");
    const of = called(told[reason]);
    return reason === "beyond_cutoff" ? word("beyond_n", { reason: of, n: minutes[minutes.length - 1] }) : of;
  }

  endOf(c, p, at, plan) {
    return this.city.facility(c, this.city.ends(c, p, plan)?.[at] ?? 0);
  }

  end(c, p, at, plan) {
    return element("span", {}, this.city.nameOfFacility(this.endOf(c, p, at, plan)));
  }

  area(state, area) {
    const { city } = this;
    const { id, name, level } = city.areas;
    const title = name[area] ? `${name[area]}` : id[area];
    const about = [name[area] ? id[area] : null, city.nameOfLevel(level[area])].filter(Boolean).join(" · ");
    return [
      element("h2", {}, title),
      element("p", { class: "sub" }, about),
      this.people(state, (g, plan) => (city.hasArea(area, plan) ? fixed(city.peopleOf(g, area, plan) / 10) : "–")),
      ...this.scored(area),
      element(
        "h3",
        {},
        `${word("covered_head")} · ${called(city.about.profiles[state.p])} · ${called(city.about.groups[state.g])}`,
      ),
      this.coverage(state, area),
      this.uncovered(state, area),
      ...this.points(area),
    ];
  }

  coverage(state, area) {
    const { minutes, classes } = this.city.about;
    const head = [word("class"), ...minutes.map((n) => word("minutes_n", { n }))].map((text) =>
      element("th", { scope: "col" }, text),
    );
    const rows = classes.map((of, c) => this.coverageRow(state, area, of, c));
    return element(
      "table",
      { class: "cover" },
      element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...rows),
    );
  }

  coverageRow(state, area, of, c) {
    const { g, p, plan } = state;
    const shown = this.paint.planShown(state);
    const cells = this.city.about.minutes.map((_, m) => {
      const before = this.city.coverage(c, g, p, m, area);
      const after = shown < 0 ? before : this.city.coverage(c, g, p, m, area, plan);
      const cell = element(
        "td",
        { "data-minutes": this.city.about.minutes[m], class: m === state.m ? "current" : null },
        this.share(before),
      );
      if (after && (after.covered !== before?.covered || after.share !== before.share))
        cell.append(element("span", { class: "after" }, "→ ", this.share(after)));
      return cell;
    });
    const name = element("th", { scope: "row" }, called(of));
    return element("tr", { "data-class": of.id, class: c === state.c ? "current" : null }, name, ...cells);
  }

  share(row) {
    if (!row) return element("span", { class: "none" }, word("not_computed"));
    const share = row.share === null ? "–" : `${fixed(row.share / 10)} %`;
    return element("span", {}, share, element("small", {}, fixed(row.covered / 10)));
  }

  uncovered(state, area) {
    const asked = [state.c, state.g, state.p, state.m, area];
    const row = this.city.coverage(...asked);
    if (!row || this.paint.planShown(state) >= 0) return null;
    const values = {
      class: called(this.city.about.classes[state.c]),
      minutes: this.city.about.minutes[state.m],
      n: fixed((row.people - row.covered) / 10),
      why: ["not_connected", "not_snapped"]
        .map((reason) => [
          called(this.city.about.reason_words[reason]),
          word("people_n", { n: fixed(this.city.apart(reason, ...asked) / 10) }),
        ])
        .map((told) => told.join(" "))
        .join(word("comma")),
    };
    return element("p", { class: "note" }, word("uncovered_of", values));
  }

  scored(area) {
    const at = this.city.score?.place.get(area);
    if (at === undefined) return [];
    const { low, high, total_points: total, observed, grade_low: least, grade_high: most } = this.city.score.about;
    const graded = (name) => called(this.city.score.about.grades[name]);
    const of = least[at] === most[at] ? graded(least[at]) : `${graded(least[at])} … ${graded(most[at])}`;
    const range = word("score_range", { low: fixed(low[at]), high: fixed(high[at]), total: number(total[at], 1) });
    const known = observed[at] === null ? called(this.city.score.about.statuses.unknown) : word("score_observed", { n: fixed(observed[at]) });
    return [
      element("h3", {}, word("score")),
      element("p", { class: "score" }, range, element("br"), `${known} · ${word("grade")} ${of}`),
    ];
  }

  /** Items of the standard, each opening to its points with status, evidence and source. */
  points(area) {
    const at = this.city.score?.place.get(area);
    if (at === undefined) return [];
    const { about } = this.city.score;
    const items = [];
    for (let i = about.item_first[at]; i < about.item_first[at + 1]; i++) items.push(this.item(about, i));
    return [element("h3", {}, word("points_of")), ...items];
  }

  item({ items, points }, i) {
    const title = words.language === "zh" ? items.name_zh[i] : items.name_en[i];
    const score = `${fixed(items.low[i], 2)} – ${fixed(items.high[i], 2)} / ${fixed(items.weight[i], 2)}`;
    const summary = element(
      "summary",
      {},
      this.status(items.status[i]),
      element("span", { class: "item" }, title),
      element("small", {}, score),
    );
    const rows = [];
    for (let n = items.first[i]; n < items.first[i] + items.count[i]; n++) rows.push(this.point(points, n));
    return element("details", { "data-item": items.item[i] }, summary, ...rows);
  }

  point(points, n) {
    const zh = words.language === "zh";
    const evidence = zh ? points.evidence_zh[n] : points.evidence[n];
    const unit = zh ? points.gap_unit_zh[n] : points.gap_unit[n];
    const gap =
      points.gap[n] === null || points.status[n] === "pass"
        ? null
        : element("p", {}, word("missing", { n: number(points.gap[n], 4), unit: unit ?? "" }));
    const source = points.source[n]
      ? element("p", { class: "source" }, `${word("source")}: ${points.source[n]}`)
      : null;
    return element(
      "div",
      { class: "point", "data-point": points.point[n] },
      element("p", {}, this.status(points.status[n]), evidence ?? ""),
      gap,
      source,
    );
  }

  status(status) {
    return element("span", { class: `status ${status}` }, called(this.city.score.about.statuses[status]));
  }
}
