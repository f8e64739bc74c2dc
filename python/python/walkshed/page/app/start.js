/** Open the page: read its blocks, load its libraries, show it. */

async function openBase() {
  const block = await Block.open("data-base");
  const streets = [];
  for (let rank = 0; rank < 4; rank++) {
    if (block.has(`street_${rank}_corners`)) streets.push({ rank, paths: streetsOf(block, rank) });
  }
  return { streets, water: shapesOf(block, "water") };
}

function streetsOf(block, rank) {
  const counts = block.column(`street_${rank}_corners`);
  const [lon, lat] = [block.signed(`street_${rank}_lon`), block.signed(`street_${rank}_lat`)];
  const starts = new Uint32Array(counts.length + 1);
  counts.forEach((count, line) => (starts[line + 1] = starts[line] + count));
  const corners = new Float64Array(2 * lon.length);
  for (let at = 0; at < lon.length; at++) {
    corners[2 * at] = lon[at] / 1e6;
    corners[2 * at + 1] = lat[at] / 1e6;
  }
  return { corners, starts };
}

async function openScore(city) {
  const about = (await Block.open("data-score")).about;
  return { about, place: new Map(about.area.map((area, at) => [area, at])) };
}

function openAbout(page, licences) {
  const close = element(
    "button",
    { type: "button", class: "close", click: () => byId("about").close() },
    word("close"),
  );
  const texts = licences.map(({ name, text }) =>
    element("details", {}, element("summary", {}, name), element("pre", {}, text)),
  );
  const inside = [
    element("h2", {}, word("about_title")),
    ...page.about(),
    element("h3", {}, word("about_licences")),
    ...texts,
    close,
  ];
  byId("about").replaceChildren(...inside.filter(Boolean));
  byId("about").showModal();
}

async function start() {
  const block = await Block.open("data");
  const { about } = block;
  Object.assign(words, { of: about.words, language: about.language });
  speak();
  await load("library-h3");
  if (hasGraphicsCard()) await load("library-deck");
  const base = await openBase();
  const page = about.kind === "table" ? new TablePage(block, base) : new CityPage(new City(block), base);
  if (byId("data-score")) page.city.score = await openScore(page.city);
  byId("language").addEventListener("click", () => {
    words.language = words.language === "zh" ? "en" : "zh";
    page.tell();
  });
  byId("print").addEventListener("click", () => window.print());
  byId("about-open").addEventListener("click", () => openAbout(page, about.licences));
  page.tell();
  page.frame.resize();
  byId("problem").hidden = true;
  document.body.classList.add("ready");
}

/** A browser that cannot read this script, or has no DecompressionStream, keeps the words that the page begins with. */
if (typeof DecompressionStream !== "undefined") {
  start().catch((error) => {
    console.error(error);
    byId("problem").textContent = word("broken", { why: error.message });
  });
}
