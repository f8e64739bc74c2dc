/** Reading what the page carries: gzip as base64 in script blocks that no browser runs (block.py says how they are built). */

async function unpacked(id) {
  const text = atob(document.getElementById(id).textContent.trim());
  const packed = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) packed[at] = text.charCodeAt(at);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Run a library that the page carries; the policy of the page lets it run by its hash alone. */
async function load(id) {
  const script = document.createElement("script");
  script.textContent = new TextDecoder().decode(await unpacked(id));
  document.head.append(script);
}

class Block {
  constructor(bytes) {
    const length = new DataView(bytes.buffer).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
    this.about = header.about;
    this.bytes = bytes;
    this.columns = new Map();
    this.read = new Map();
    let at = 4 + length;
    for (const [name, column] of Object.entries(header.columns)) {
      this.columns.set(name, { ...column, at });
      at += column.bytes * column.count;
    }
  }

  static async open(id) {
    return new Block(await unpacked(id));
  }

  has(name) {
    return this.columns.has(name);
  }

  /** A column of whole numbers that are not negative. */
  column(name) {
    if (!this.read.has(name)) this.read.set(name, this.decode(this.columns.get(name)));
    return this.read.get(name);
  }

  /** A column of numbers that may be negative. */
  signed(name) {
    return new Int32Array(this.column(name).buffer);
  }

  decode({ bytes, count, delta, at }) {
    const values = new { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array }[bytes](count);
    for (let weight = 0; weight < bytes; weight++) {
      const from = at + weight * count;
      for (let row = 0; row < count; row++) values[row] |= this.bytes[from + row] << (8 * weight);
    }
    if (delta)
      for (let row = 0, last = 0; row < count; row++) values[row] = last += (values[row] >>> 1) ^ -(values[row] & 1);
    return values;
  }
}
