-- joingate's way to one participant: says whether somebody is in a room, and takes one out.
--
--   GET  /joingate/occupants?room=JID[&session=S][&nick=N]   200 {"occupants":["nick",...]}
--   POST /joingate/remove?room=JID[&session=S][&nick=N]      204
--
-- 404 {"error":"not-found"} when there is no such room or occupant. S is an occupant's full JID, or "bosh:" and the
-- SHA-256 of a BOSH session's sid, in hexadecimal; with S, N does not count, as nicks change hands. Whoever is taken out
-- leaves with all sessions under that nick, and is told so by status 307. Nothing here outlives a removal: no list.
--
-- It also sees to it that a room's occupants are those the gate has let in and not seen leave: see module.add_host.
--
-- modules_enabled = { ...; "joingate" }, globally, and joingate_token = "..." beside it. See README.md.

module:set_global();

local array = require "util.array";
local formdecode = require "util.http".formdecode;
local hashes = require "util.hashes";
local jid_host = require "util.jid".host;
local jid_prep = require "util.jid".prep;
local json = require "util.json";
local resourceprep = require "util.encodings".stringprep.resourceprep;
local destroy_session = require "core.sessionmanager".destroy_session;

-- Every MUC component of this server, so that one configuration serves rooms, lobbies and breakout rooms.
local function muc_of(room_jid)
	local host = prosody.hosts[jid_host(room_jid)];
	return host and host.modules and host.modules.muc;
end

-- Whoever binds the resource of a session that waits to be resumed replaces it. On a WebSocket its close() then does
-- nothing, as it has no connection (0.12.3): it stays in its rooms, and what is said there reaches the new session,
-- which has joined nothing. So such a session ends here, and leaves its rooms. After mod_smacks, which takes back the
-- token by which it could be resumed.
local function end_replaced(event)
	local session = event.session;
	if session.hibernating and not session.conn then
		destroy_session(session, "Replaced by a new session");
	end
end

-- Somebody who has blocked the room (mod_blocklist) would not be heard leaving: gone for whoever saw the presence go
-- by, and still inside. So leaving passes by what the sender's own side does to presence.
local function let_leave(event)
	local stanza = event.stanza;
	if stanza.attr.type == "unavailable" and stanza.attr.to and muc_of(stanza.attr.to) then
		prosody.core_post_stanza(event.origin, stanza);
		return true;
	end
end

function module.add_host(host_module)
	host_module:hook("pre-session-close", end_replaced, -10);
	host_module:hook("pre-presence/full", let_leave, 1000);
	host_module:hook("pre-presence/bare", let_leave, 1000);
end

local LEAST_TOKEN = 16;

local token = module:get_option_string("joingate_token", "");
if #token < LEAST_TOKEN then
	module:log("error", "joingate_token has to be set, to %d characters at least; nothing is answered", LEAST_TOKEN);
	return;
end
local token_hash = hashes.sha256(token);

local function answer(code, body)
	return {
		status_code = code;
		headers = { content_type = "application/json", cache_control = "no-store" };
		body = json.encode(body);
	};
end

local function failure(code, condition)
	return answer(code, { error = condition });
end

local function may_ask(request)
	local scheme, given = (request.headers.authorization or ""):match("^(%a+) +(%S+)$");
	-- Hashes are of one length, and compared in constant time.
	return scheme and scheme:lower() == "bearer" and hashes.equals(hashes.sha256(given), token_hash);
end

local function is_of_bosh_session(occupant, sid_hash)
	for real_jid in occupant:each_session() do
		local session = prosody.full_sessions[real_jid];
		if session and session.sid and hashes.sha256(session.sid, true) == sid_hash then
			return true;
		end
	end
	return false;
end

local function find_occupants(room, session, nick)
	local found = {};
	local sid_hash = session and session:match("^bosh:(%x+)$");
	if sid_hash then
		for _, occupant in room:each_occupant() do
			if is_of_bosh_session(occupant, sid_hash) then
				found[#found + 1] = occupant;
			end
		end
	elseif session then
		found[1] = room:get_occupant_by_real_jid(session);
	elseif nick then
		local prepared = resourceprep(nick);
		found[1] = prepared and room:get_occupant_by_nick(room.jid .. "/" .. prepared);
	else
		for _, occupant in room:each_occupant() do
			found[#found + 1] = occupant;
		end
	end
	return found;
end

local function given(value)
	return value ~= "" and value or nil;
end

local function handler(act)
	return function (event)
		local request = event.request;
		if request.headers.x_forwarded_for or request.headers.forwarded then
			return 404; -- through a proxy: for the outside there is nothing here
		end
		if not may_ask(request) then
			return failure(401, "not-authorized");
		end
		local query = formdecode(request.url.query or "");
		local room_jid = type(query) == "table" and query.room and jid_prep(query.room);
		if not room_jid then
			return failure(400, "bad-request");
		end
		local muc = muc_of(room_jid);
		if not muc then
			return failure(422, "no-such-component");
		end
		local room = muc.get_room_from_jid(room_jid);
		if room == false then
			return failure(503, "room-not-loaded");
		elseif not room then
			return failure(404, "not-found");
		end
		local occupants = find_occupants(room, given(query.session), given(query.nick));
		return act(room, occupants, query);
	end
end

local function list(_, occupants)
	local nicks = array();
	for _, occupant in ipairs(occupants) do
		nicks[#nicks + 1] = occupant.nick:match("/(.*)$");
	end
	return answer(200, { occupants = nicks });
end

local function remove(room, occupants, query)
	if not given(query.session) and not given(query.nick) then
		return failure(400, "bad-request"); -- one, and never all
	elseif #occupants == 0 then
		return failure(404, "not-found");
	end
	for _, occupant in ipairs(occupants) do
		local done, _, condition = room:set_role(true, occupant.nick, nil);
		if not done then
			return failure(500, condition or "not-removed");
		end
	end
	return 204;
end

module:depends("http");
module:provides("http", {
	default_path = "/joingate";
	route = {
		["GET /occupants"] = handler(list);
		["POST /remove"] = handler(remove);
	};
});
