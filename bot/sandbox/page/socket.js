// Mattermost's WebSocket: live events, and a new connection when one is lost.

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 8000;
// The server greets at once whom it knows.
const PATIENCE = 5000;

export class Socket {
  /**
   * `onEvent(name, data)`; `onOpen()` after each (re)connection; `onLost()` when it went; `probe()` says whether it
   * is worth trying again.
   */
  constructor(token, { onEvent, onOpen, onLost, probe }) {
    Object.assign(this, { token, onEvent, onOpen, onLost, probe, pause: FIRST_PAUSE, closed: false });
    this.open();
  }

  open() {
    const address = new URL("/api/v4/websocket", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.line = new WebSocket(address);
    this.line.onopen = () => this.say("authentication_challenge", { token: this.token });
    this.line.onmessage = (message) => this.take(JSON.parse(message.data));
    this.line.onclose = () => this.lost();
    this.timer = setTimeout(() => this.line.close(), PATIENCE);
  }

  say(action, data) {
    this.line.send(JSON.stringify({ seq: 1, action, data }));
  }

  take(message) {
    if (!message.event) return;
    if (message.event === "hello") {
      clearTimeout(this.timer);
      this.pause = FIRST_PAUSE;
      this.onOpen();
    } else {
      this.onEvent(message.event, message.data);
    }
  }

  lost() {
    if (this.closed) return;
    clearTimeout(this.timer);
    this.onLost();
    this.again();
  }

  again() {
    this.timer = setTimeout(() => this.retry(), this.pause);
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
  }

  async retry() {
    const there = await this.probe();
    if (this.closed) return;
    if (there) this.open();
    else this.again();
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    this.line.close();
  }
}
