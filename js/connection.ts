/* The page's side of the protocol: who waits for which answer. */

import { LmError } from "./errors.js";
import type { ResolvedSource } from "./load.js";
import type { Download, ModelInfo, Request, Response, Token, WorkerLike, Word } from "./protocol.js";

/** A request without its token. */
type Question = Request extends infer R ? (R extends Request ? Omit<R, "token"> : never) : never;

interface Job {
  readonly question: Question;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
  readonly onDownload?: ((progress: Download) => void) | undefined;
  /** Whoever must outlive the answer: see {@link Connection.suggest}. */
  readonly owner?: object;
}

/**
 * Sends one request at a time, and holds back at most one: the latest wins. A newer one takes the place of the one that
 * waits, whose promise rejects with the code `superseded`. So the model is never asked about a text that is already old
 * by the time its turn comes, however fast somebody types.
 */
export class Connection {
  readonly #worker: WorkerLike;
  #token: Token = 0;
  #running: Job | undefined;
  #waiting: Job | undefined;
  #closed: LmError | undefined;

  constructor(worker: WorkerLike) {
    this.#worker = worker;
    worker.onmessage = ({ data }) => this.#receive(data);
    worker.onerror = ({ message }) =>
      this.close(
        new LmError(
          "worker",
          `the worker failed${message ? ` (${message})` : ""}: check that dist/worker.js and what it imports are served ` +
            "from the page's origin and that its policy has worker-src 'self', or pass { worker: false }",
        ),
      );
  }

  /** Loads the model that the connection is for. */
  load(
    source: ResolvedSource,
    wasmUrl?: string,
    onDownload?: (progress: Download) => void,
    signal?: AbortSignal,
  ): Promise<ModelInfo> {
    const question: Question = { type: "load", source, ...(wasmUrl === undefined ? {} : { wasmUrl }) };
    return this.#ask(question, { onDownload, signal });
  }

  /**
   * Asks for words.
   *
   * @param owner is kept alive until the answer is there, so that collecting it cannot close the connection before
   */
  suggest(text: string, count: number, signal?: AbortSignal, owner?: object): Promise<readonly Word[]> {
    return this.#ask({ type: "suggest", text, count }, { signal, ...(owner ? { owner } : {}) });
  }

  /** Ends the worker; whoever still waits gets `reason`. */
  close(reason = new LmError("disposed", "the predictor was disposed of: load another one")): void {
    if (this.#closed) return;
    this.#closed = reason;
    this.#worker.terminate();
    this.#running?.reject(reason);
    this.#waiting?.reject(reason);
    this.#running = this.#waiting = undefined;
  }

  #ask<T>(
    question: Question,
    { signal, ...rest }: Omit<Partial<Job>, "question"> & { signal?: AbortSignal | undefined },
  ) {
    return new Promise<T>((resolve, reject) => {
      if (this.#closed) throw this.#closed;
      signal?.throwIfAborted();
      const abort = () => {
        if (this.#waiting === job) this.#waiting = undefined;
        reject(signal?.reason);
      };
      const settled =
        <V>(settle: (value: V) => void) =>
        (value: V) => {
          signal?.removeEventListener("abort", abort);
          settle(value);
        };
      const job: Job = { ...rest, question, resolve: settled(resolve), reject: settled(reject) };
      signal?.addEventListener("abort", abort, { once: true });
      this.#enqueue(job);
    });
  }

  #enqueue(job: Job): void {
    if (!this.#running) return this.#send(job);
    this.#waiting?.reject(
      new LmError("superseded", "a newer request took this one's place: await one before the next"),
    );
    this.#waiting = job;
  }

  #send(job: Job): void {
    this.#running = job;
    this.#worker.postMessage({ ...job.question, token: ++this.#token });
  }

  #receive(response: Response): void {
    const job = this.#running;
    if (!job || response.token !== this.#token) return;
    if (response.type === "progress") return job.onDownload?.(response.progress);

    this.#running = undefined;
    const next = this.#waiting;
    this.#waiting = undefined;
    if (next) this.#send(next);
    settle(job, response);
  }
}

function settle(job: Job, response: Exclude<Response, { type: "progress" }>): void {
  switch (response.type) {
    case "loaded":
      return job.resolve(response.info as never);
    case "suggested":
      return job.resolve(response.words as never);
    case "failed":
      return job.reject(new LmError(response.code, response.message));
  }
}
