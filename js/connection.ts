/* The page's side of the protocol: who waits for which answer. */

import { LmError } from "./errors.js";
import type { Download, ModelInfo, Question, Response, Token, WorkerLike, Word } from "./protocol.js";

interface Job {
  readonly question: Question;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
  readonly onDownload?: ((progress: Download) => void) | undefined;
  /** Whoever must outlive the answer: see {@link Connection.suggest}. */
  readonly owner?: object | undefined;
}

/** What a request for words comes with besides itself. */
export interface SuggestContext {
  readonly signal?: AbortSignal | undefined;
  /** Whose request it is: a newer one takes the place of this requester's alone. */
  readonly requester?: object | undefined;
  /** Is kept alive until the answer is there, so that collecting it cannot close the connection before. */
  readonly owner?: object | undefined;
}

/**
 * Sends one request for words at a time, and holds back at most one a requester: the latest wins. A newer one takes the
 * place of the one that waits, whose promise rejects with the code `superseded`. So the model is never asked about a
 * text that is already old by the time its turn comes, however fast somebody types. Other requests are sent at once.
 */
export class Connection {
  readonly #worker: WorkerLike;
  readonly #sent = new Map<Token, Job>();
  readonly #waiting = new Map<object, Job>();
  #token: Token = 0;
  /** The request for words that is being answered. */
  #running: Token | undefined;
  #closed: LmError | undefined;

  constructor(worker: WorkerLike) {
    this.#worker = worker;
    worker.onmessage = ({ data }) => this.#receive(data);
    worker.onerror = ({ message }) =>
      this.close(
        new LmError(
          "worker",
          `the worker failed${message ? ` (${message})` : ""}: check that dist/worker.js is served from the page's origin ` +
            "and its policy has worker-src 'self', or pass { worker: false }",
        ),
      );
  }

  /** Loads the model that the connection is for. */
  load(
    question: Question & { readonly type: "load" },
    onDownload?: (progress: Download) => void,
    signal?: AbortSignal,
  ): Promise<ModelInfo> {
    return this.#ask((job) => this.#send(job), { question, onDownload, signal });
  }

  /** Asks for words. */
  suggest(
    question: Question & { readonly type: "suggest" },
    { requester = this, ...context }: SuggestContext = {},
  ): Promise<readonly Word[]> {
    return this.#ask((job) => this.#enqueue(job, requester), { question, ...context });
  }

  /** Asks something that need not wait for its turn. */
  ask<Answer>(question: Question & { readonly type: "known" | "personal" }, owner?: object): Promise<Answer> {
    return this.#ask((job) => this.#send(job), { question, owner });
  }

  /** Ends the worker; whoever still waits gets `reason`. */
  close(reason = new LmError("disposed", "the predictor was disposed of: load another one")): void {
    if (this.#closed) return;
    this.#closed = reason;
    this.#worker.terminate();
    for (const job of [...this.#sent.values(), ...this.#waiting.values()]) job.reject(reason);
    this.#sent.clear();
    this.#waiting.clear();
  }

  #ask<T>(
    start: (job: Job) => void,
    { signal, ...rest }: Omit<Job, "resolve" | "reject"> & { signal?: AbortSignal | undefined },
  ) {
    return new Promise<T>((resolve, reject) => {
      if (this.#closed) throw this.#closed;
      signal?.throwIfAborted();
      const abort = () => {
        for (const [requester, waiting] of this.#waiting) if (waiting === job) this.#waiting.delete(requester);
        reject(signal?.reason);
      };
      const settled =
        <V>(settle: (value: V) => void) =>
        (value: V) => {
          signal?.removeEventListener("abort", abort);
          settle(value);
        };
      const job: Job = { ...rest, resolve: settled(resolve), reject: settled(reject) };
      signal?.addEventListener("abort", abort, { once: true });
      start(job);
    });
  }

  #enqueue(job: Job, requester: object): void {
    if (this.#running === undefined) {
      this.#running = this.#send(job);
      return;
    }
    this.#waiting
      .get(requester)
      ?.reject(new LmError("superseded", "a newer request took this one's place: await one before the next"));
    this.#waiting.set(requester, job);
  }

  #send(job: Job): Token {
    const token = ++this.#token;
    this.#sent.set(token, job);
    this.#worker.postMessage({ ...job.question, token });
    return token;
  }

  #receive(response: Response): void {
    const job = this.#sent.get(response.token);
    if (!job) return;
    if (response.type === "progress") return job.onDownload?.(response.progress);

    this.#sent.delete(response.token);
    if (response.token === this.#running) this.#sendNext();
    if (response.type === "done") job.resolve(response.value as never);
    else job.reject(new LmError(response.code, response.message));
  }

  #sendNext(): void {
    this.#running = undefined;
    for (const [requester, job] of this.#waiting) {
      this.#waiting.delete(requester);
      this.#running = this.#send(job);
      return;
    }
  }
}
