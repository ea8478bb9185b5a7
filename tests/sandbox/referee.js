// Drives a Mattermost with the project's own JavaScript client; prints what it saw as one line of JSON.
const path = require('node:path');

const [url, channelId] = process.argv.slice(2);
const load = (name) => require(path.join(process.env.ZOOMBOT_NODE_MODULES, name));
const {Client4, WebSocketClient} = load('@mattermost/client');
const WebSocket = load('ws');
globalThis.WebSocket = WebSocket;
console.log = () => {};

async function main() {
    const rest = new Client4();
    rest.setUrl(url);
    const me = await rest.login('alice', 'demo');
    const token = rest.getToken();
    const channel = await rest.getChannel(channelId);

    const socket = new WebSocketClient({newWebSocketFn: (address) => new WebSocket(address)});
    const seen = [];
    let missed = 0;
    socket.addMissedMessageListener(() => { missed += 1; });
    const posted = new Promise((resolve) => {
        socket.addMessageListener((message) => {
            seen.push(message.event);
            if (message.event === 'posted') {
                resolve(JSON.parse(message.data.post));
            } else if (message.event === 'hello') {
                rest.createPost({channel_id: channelId, message: '@bob from node'});
            }
        });
    });
    socket.initialize(`${url.replace('http', 'ws')}/api/v4/websocket`, token);
    const post = await posted;
    const patched = await rest.patchPost({id: post.id, message: 'edited'});
    const listing = await rest.getPosts(channelId);
    let refusal = null;
    try {
        await rest.getPost('x'.repeat(26));
    } catch (error) {
        refusal = error.status_code;
    }
    process.stdout.write(JSON.stringify({
        me: me.username, channel: channel.name, seen, message: post.message, patched: patched.message,
        listed: listing.order.length, refusal, missed,
    }));
    socket.close();
    process.exit(0);
}

main().catch((error) => {
    process.stderr.write(String(error.stack || error));
    process.exit(1);
});
