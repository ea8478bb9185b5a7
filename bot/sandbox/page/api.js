// A client of Mattermost's REST API.

const API = "/api/v4";

/** An error response with the server's message; `status` is 0 if there was no response. */
export class Refusal extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

export class Api {
  constructor(token) {
    this.token = token;
    this.onExpired = () => {};
  }

  /** Signs in. Each window has its own token, so that two windows can be two people. */
  static async signIn(person, password) {
    const api = new Api("");
    const answer = await api.send("POST", "/users/login", { login_id: person, password });
    return new Api(answer.headers.get("Token"));
  }

  async get(path) {
    return (await this.send("GET", path)).json();
  }

  async post(path, body) {
    return (await this.send("POST", path, body)).json();
  }

  async blob(path) {
    return (await this.send("GET", path)).blob();
  }

  async send(method, path, body) {
    const headers = this.token ? { Authorization: `Bearer ${this.token}` } : {};
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const request = { method, headers, credentials: "omit", body: body === undefined ? undefined : JSON.stringify(body) };
    let answer;
    try {
      answer = await fetch(API + path, request);
    } catch {
      throw new Refusal("The demo does not answer. Is it still running?");
    }
    if (answer.ok) return answer;
    const said = await answer.json().catch(() => ({}));
    if (answer.status === 401 && this.token) this.onExpired();
    throw new Refusal(said.message || `The server said ${answer.status}.`, answer.status);
  }
}
