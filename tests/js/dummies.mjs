// Stand-ins for the worker and for the field: scripted, so that a test decides what is answered and when.

/** A worker that records requests; the test answers them. */
export class DummyWorker {
  requests = [];
  terminated = false;
  onmessage = null;
  onerror = null;

  postMessage(request) {
    this.requests.push(request);
  }

  terminate() {
    this.terminated = true;
  }

  answer(response) {
    this.onmessage({ data: response });
  }

  get last() {
    return this.requests.at(-1);
  }
}

export const INFO = { metadata: { language: "en" }, bytes: 4, vocabularySize: 2 };

/** A worker that loads at once and suggests what `words` returns for a text. */
export class AnsweringWorker extends DummyWorker {
  constructor(words) {
    super();
    this.words = words;
  }

  postMessage(request) {
    super.postMessage(request);
    const { token } = request;
    const response =
      request.type === "load"
        ? { type: "done", token, value: INFO }
        : { type: "done", token, value: this.words(request.text, request.count) };
    queueMicrotask(() => this.answer(response));
  }
}

/** A suggester whose answers come when the test says so. */
export class DummySuggester {
  calls = [];
  learned = [];
  blocked = [];

  learn(text) {
    this.learned.push(text);
  }

  block(word) {
    this.blocked.push(word);
  }

  suggest(text, options) {
    return new Promise((resolve, reject) => this.calls.push({ text, options, resolve, reject }));
  }

  /** Answers the latest call: `[word, probability, deleteLeft, continuation]` each. */
  async answer(...words) {
    this.calls.at(-1).resolve(words.map((word) => suggestion(...word)));
    await settled();
  }
}

export function suggestion(text, probability = 0.9, deleteLeft = 0, continuation) {
  return { text, probability, insert: { deleteLeft, text: `${text} ` }, ...(continuation ? { continuation } : {}) };
}

/** A field of one string. */
export class DummyField {
  before = "";
  after = "";
  room = Infinity;
  usable = true;
  applied = [];

  read() {
    return this.usable ? { before: this.before, after: this.after, room: this.room } : undefined;
  }

  apply(transform) {
    this.applied.push(transform);
    this.before = this.before.slice(0, this.before.length - transform.deleteLeft) + transform.text;
  }
}

export class DummyBar {
  words = [];
  idle = true;
  active = undefined;
  ghost = "";

  show({ idle, suggestions, active, ghost }) {
    this.idle = idle;
    this.ghost = ghost;
    this.active = active;
    this.words = suggestions.map(({ text }) => text);
  }
}

export class DummyGhost {
  rest = "";
  room = true;
  longest = Infinity;

  get visible() {
    return this.room && this.rest !== "" && this.rest.length <= this.longest;
  }

  show(_before, rest) {
    this.rest = rest;
  }

  hide() {
    this.rest = "";
  }
}

/** Lets all promises that can settle do so. */
export function settled() {
  return new Promise((resolve) => setImmediate(resolve));
}
