// Mattermost's WebSocket: receives events and reconnects.

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 8000;
// How long to wait for the server's hello, in ms.
const HELLO_TIMEOUT = 5000;

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
    this.socket = new WebSocket(address);
    this.socket.onopen = () => this.say("authentication_challenge", { token: this.token });
    this.socket.onmessage = (message) => this.take(JSON.parse(message.data));
    this.socket.onclose = () => this.lost();
    this.timer = setTimeout(() => this.socket.close(), HELLO_TIMEOUT);
  }

  say(action, data) {
    this.socket.send(JSON.stringify({ seq: 1, action, data }));
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
    this.socket.close();
  }
}
