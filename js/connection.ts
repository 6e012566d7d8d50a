/* The page's side of the protocol: who waits for which answer. */

import { LmError } from "./errors.js";
import type { Answers, Download, Question, Response, Token, WorkerLike } from "./protocol.js";
import { workerError } from "./start-worker.js";

/** What a question comes with. */
export interface AskContext {
  readonly onDownload?: ((progress: Download) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Whose request for words it is: a newer one takes the place of this requester's alone. */
  readonly requester?: object | undefined;
  /** Is kept alive until the answer is there, so that collecting it cannot close the connection before. */
  readonly owner?: object | undefined;
}

interface Job extends Pick<AskContext, "onDownload" | "owner"> {
  readonly question: Question;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
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
    worker.onerror = ({ message }) => {
      worker.terminate();
      this.close(workerError(`failed${message ? ` (${message})` : ""}`));
    };
  }

  /** Asks something: for words when the turn comes, else at once. */
  ask<Type extends keyof Answers>(
    question: Question & { readonly type: Type },
    { signal, requester = this, ...context }: AskContext = {},
  ): Promise<Answers[Type]> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw this.#closed;
      signal?.throwIfAborted();
      const abort = () => {
        if (this.#waiting.get(requester) === job) this.#waiting.delete(requester);
        job.reject(signal?.reason);
      };
      const settled =
        <V>(settle: (value: V) => void) =>
        (value: V) => {
          signal?.removeEventListener("abort", abort);
          settle(value);
        };
      const job: Job = { question, ...context, resolve: settled(resolve), reject: settled(reject) };
      signal?.addEventListener("abort", abort);
      if (question.type === "suggest") this.#enqueue(job, requester);
      else this.#send(job);
    });
  }

  /** Ends the worker, once it has kept what it was told to; whoever still waits gets `reason` at once. */
  close(reason = new LmError("disposed", "the predictor was disposed of: load another one")): void {
    this.#closed ??= reason;
    for (const job of [...this.#sent.values(), ...this.#waiting.values()]) job.reject(reason);
    this.#waiting.clear();
    this.#end();
  }

  #end(): void {
    const keeps = [...this.#sent.values()].some(({ question }) => question.type === "personal");
    if (!keeps) this.#worker.terminate();
  }

  #enqueue(job: Job, requester: object): void {
    if (this.#running === undefined) {
      this.#running = this.#send(job);
      return;
    }
    this.#waiting.get(requester)?.reject(new LmError("superseded", "a newer request took its place"));
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
    if (this.#closed) return this.#end();
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
