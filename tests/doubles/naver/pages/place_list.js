/* Replica: what the list page does in a browser. Rows wait in memory and are appended as the reader scrolls; further rows come
   from GraphQL, 50 at a time on a phone and 70 for each numbered page on a PC. The names of functions are invented. */
(function () {
  var settings = window.__REPLICA__;
  var pc = settings.device === "pc";
  var box = document.getElementById("_pcmap_list_scroll_container");
  var list = box.querySelector("ul");
  var waiting = firstBatch().slice(settings.shown);
  var next = settings.start + settings.display;
  var busy = false;
  var ended = pc;

  function firstBatch() {
    var state = window.__APOLLO_STATE__;
    var root = state.ROOT_QUERY;
    for (var name in root) {
      if (/^(placeList|restaurantList|hospitals)\(/.test(name)) {
        var listing = root[name].businesses || root[name];
        return listing.items.map(function (item) { return item.__ref ? state[item.__ref] : item; });
      }
    }
    return [];
  }

  function append(item) {
    var row = document.createElement("li");
    row.className = settings.rowClass;
    row.setAttribute("data-laim-exp-id", "undefinedundefined");
    var anchor = document.createElement("a");
    anchor.setAttribute("role", "button");
    anchor.href = pc || !item.id ? "#" : "https://m.place.naver.com/" + settings.vertical + "/" + item.id + "?entry=pll";
    var name = document.createElement("span");
    name.textContent = item.name;
    anchor.appendChild(name);
    row.appendChild(anchor);
    row["__reactProps$replica"] = { item: { id: item.id, name: item.name } };
    list.appendChild(row);
  }

  function fetchRows(start, display) {
    var input = { query: settings.keyword, start: start, display: display, deviceType: pc ? "pcmap" : "mobile",
                  businessType: settings.vertical, adult: false, spq: false, queryRank: "" };
    if (settings.x !== null) { input.x = settings.x; input.y = settings.y; }
    return fetch(settings.graphql, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Replica-Script": "1" },
      body: JSON.stringify([{ operationName: "getPlacesList", variables: { input: input },
                              query: "query getPlacesList($input: PlacesInput) { businesses: places(input: $input) { total items { id name } } }" }])
    }).then(function (reply) { return reply.json(); }).then(function (documents) { return documents[0].data.businesses.items; });
  }

  function more() {
    if (waiting.length) {
      waiting.splice(0, 10).forEach(append);
      return;
    }
    if (ended || busy) { return; }
    busy = true;
    fetchRows(next, 50).then(function (items) {
      ended = items.length === 0;
      next += items.length;
      waiting = waiting.concat(items);
      busy = false;
      if (nearEnd()) { more(); }  // a reader who waits at the end makes no further scroll event
    }).catch(function () { busy = false; ended = true; });
  }

  function nearEnd() {
    if (pc) { return box.scrollTop + box.clientHeight > box.scrollHeight - 300; }
    return window.innerHeight + window.scrollY > document.body.scrollHeight - 400;
  }

  (pc ? box : window).addEventListener("scroll", function () { if (nearEnd()) { more(); } });

  var current = 1;
  var buttons = document.getElementById("_pcmap_pages");
  if (buttons) {
    buttons.addEventListener("click", function (event) {
      event.preventDefault();
      var wanted = event.target.getAttribute("data-page");
      var page = wanted === "next" ? current + 1 : Number(wanted);
      if (!page || page === current || !buttons.querySelector("[data-page='" + page + "']")) { return; }
      fetchRows(1 + 70 * (page - 1), 70).then(function (items) {
        current = page;
        list.innerHTML = "";
        box.scrollTop = 0;
        items.slice(0, settings.shown).forEach(append);
        waiting = items.slice(settings.shown);
      });
    });
  }
})();
