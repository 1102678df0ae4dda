// The owner pages: navigation, the shop select, and what each page asks of the API. Invented but for the known names.
(() => {
  "use strict";
  const config = JSON.parse(document.getElementById("replica-config").textContent);
  const root = document.getElementById("root");
  const call = window.ReplicaCalls(config);
  const escaped = (value) => {
    const box = document.createElement("i");
    box.textContent = value ?? "";
    return box.innerHTML.replaceAll('"', "&quot;");
  };
  const current = config.shops.find((shop) => shop.value === config.shopNo) ?? config.shops[0];

  const NAVIGATION = [
    ["리뷰관리", current ? `/shops/${current.value}/reviews` : "/"],
    ["가게관리", current ? `/shops/${current.value}/manage` : "/"],
    ["주문내역", "/orders/history"],
    ["정산내역", "/orders/billing"],
    ["메뉴관리", "/menu"],
  ];

  function header() {
    const buttons = NAVIGATION.map(([name, path]) =>
      `<button type="button" data-path="${path}"><span>${name}</span> <span class="blind">${name}</span></button>`);
    return `<header><b>배민셀프서비스</b><nav>${buttons.join("")}</nav>
      <a href="/mypage/owner">내 정보</a></header>`;
  }

  function shopSelect() {
    if (config.select === "missing") return "";
    if (!current) return `<div class="ShopSelect-module__e1n0"><p>등록된 가게가 없어요</p></div>`;
    const classes = config.select === "other_suffix"
      ? "Select-module__ZZ9 ShopSelect-module__Q7x" : "Select-module__a623 ShopSelect-module___pC1";
    const select = config.select === "heading_only" ? "" : `<select class="${classes}" aria-label="가게 선택"></select>`;
    return `<div class="ShopSelect-module__x1f3"><h3></h3><p class="ShopInfo-module__n5"></p>${select}</div>`;
  }

  function showShop(shop) {
    const box = root.querySelector("[class^=ShopSelect-module]");
    if (!box || !shop) return;
    box.querySelector("h3").textContent = shop.heading;
    box.querySelector("p").textContent = `가게번호 ${shop.value}`;
  }

  function fillSelect() {
    const select = root.querySelector("select[class*=ShopSelect]");
    if (!select) return;
    select.add(new Option("가게를 선택해 주세요", ""));
    config.shops.forEach((shop) => select.add(new Option(shop.text, shop.value)));
    select.value = current.value;
    select.addEventListener("change", () => showShop(config.shops.find((shop) => shop.value === select.value)));
  }

  const chatbot = `<div role="dialog" class="ChatRoom-module__x" style="position:fixed;right:8px;bottom:8px">
    <p>모형 챗봇입니다.</p><button type="button" aria-label="챗봇 닫기">X</button></div>`;

  async function allRows(path, owner, pageSize) {
    const rows = [];
    for (let last = ""; ;) {
      const answer = await call(path, { shopOwnerNo: owner, lastOffsetId: last, pageSize, desc: true });
      const page = answer.contents ?? answer.content;
      rows.push(...page);
      if (page.length < pageSize) return rows;
      last = page[page.length - 1].shopNo;
    }
  }

  async function home() {
    await call("/v2/maintenance");
    const owner = (await call("/v1/session/profile")).shopOwnerNumber;
    await call("/v1/session/user-profile");
    const rows = await allRows("/v4/store/shops/search", owner, 50);
    const stops = await allRows("/v4/store/shops/temporary-stop-status/by-shop-owner-number", owner, 100);
    root.querySelector("#board").innerHTML = rows.length
      ? `<p>가게 ${rows.length}곳, 임시중지 ${stops.filter((row) => row.temporaryStop).length}곳</p>
         <a href="/shops/${rows[0].shopNo}/manage">가게관리 바로가기</a>`
      : "<p>등록된 가게가 없어요</p>";
  }

  async function manage() {
    const shop = await call(`/v4/store/shops/${config.shopNo}`);
    const lines = {
      가게이름: shop.name,
      카테고리: shop.categories?.[0]?.name,
      주소: shop.address?.road?.address,
      전화번호: shop.telephone,
      운영상태: shop.operationStatus,
    };
    root.querySelector("#board").innerHTML = "<dl>" + Object.entries(lines)
      .filter(([, value]) => value)
      .map(([name, value]) => `<dt>${name}</dt><dd>${escaped(value)}</dd>`).join("") + "</dl>";
  }

  async function owner() {
    const number = (await call("/v1/session/profile")).shopOwnerNumber;
    const found = await call(`/v4/store/shop-owners/${number}`);
    root.querySelector("#board").innerHTML = `<dl><dt>사업자등록번호</dt><dd>${escaped(found.businessNo)}</dd></dl>`;
  }

  const star = '<svg width="12" height="12"><path fill="#FFC600" d="M6 0l2 4 4 .5-3 3 1 4.5-4-2-4 2 1-4.5-3-3L4 4z"/></svg>';
  const korean = (iso) => {
    const [year, month, day] = iso.slice(0, 10).split("-").map(Number);
    return `${year}년 ${month}월 ${day}일`;
  };

  function reviewCard(review, index) {
    const reply = review.comments[0];
    return `<div data-index="${index}"><div class="ReviewContent-module__r3">
      <b>${escaped(review.memberNickname)}</b> <span>${korean(review.createdAt)}</span>
      ${star.repeat(review.rating)} <span>${review.orderCount}회 주문 고객</span>
      <p>${escaped(review.contents)}</p><small>리뷰번호 ${review.id}</small>
      ${reply ? `<blockquote>${escaped(reply.contents)}</blockquote>` : ""}
      <button type="button">사장님 댓글 ${reply ? "추가하기" : "등록하기"}</button></div></div>`;
  }

  async function reviews() {
    const base = `/v1/review/shops/${config.shopNo}/reviews`;
    const range = { from: config.from, to: config.to };
    const counts = await call(`${base}/count`, range);
    let shown = 0;
    const board = root.querySelector("#board");
    board.innerHTML = `<div role="tablist"><button role="tab">전체(${counts.reviewCount.toLocaleString("ko")})</button>
      <button role="tab">미답변(${counts.noCommentReviewCount.toLocaleString("ko")})</button></div>
      <button type="button" id="period">기간</button><div id="rows"></div><button type="button" id="more">더보기</button>`;
    const load = async (limit) => {
      const answer = await call(base, { ...range, offset: shown, limit });
      board.querySelector("#rows").insertAdjacentHTML("beforeend",
        answer.reviews.map((review, n) => reviewCard(review, shown + n)).join(""));
      shown += answer.reviews.length;
    };
    board.querySelector("#period").addEventListener("click", () => window.replicaPopups.openPeriod());
    board.querySelector("#more").addEventListener("click", () => load(20));
    await load(10);
    await load(10);
  }

  // The other design: other words, other classes, other paths; no shop number in the page.
  async function otherDesign() {
    root.innerHTML = `<div class="z9"><p class="z8">사장님 공간</p><div class="z7"></div></div>`;
    const answer = await call("/v9/owner-space/cells");
    root.querySelector(".z7").innerHTML = answer.payload.cells.map((cell) => `<div class="z6">${escaped(cell.v)}</div>`).join("");
  }

  function draw() {
    const sorting = config.page === "reviews"
      ? `<select class="Select-module__a623 Sort-module__s2" aria-label="정렬"><option>최신순</option><option>별점순</option></select>` : "";
    root.innerHTML = `${header()}<main>${sorting}${shopSelect()}<div id="board"></div></main>${chatbot}`;
    root.querySelectorAll("nav button").forEach((button) =>
      button.addEventListener("click", () => { location.href = button.dataset.path; }));
    root.querySelector("[aria-label='챗봇 닫기']").addEventListener("click",
      (event) => event.target.closest("[role=dialog]").remove());
    showShop(current);
    setTimeout(fillSelect, config.optionsMs);
    window.replicaPopups = window.ReplicaPopups(config);
    ({ home, manage, owner, reviews, other: async () => {} })[config.page]().catch(() => {
      root.querySelector("#board").insertAdjacentHTML("beforeend", "<p>데이터를 불러오지 못했어요</p>");
    });
  }

  const spin = () => { const end = Date.now() + config.endlessMs; while (Date.now() < end); };
  if (config.bot === "webdriver" && navigator.webdriver === true) { location.href = "/bridge"; return; }
  if (config.endlessMs && config.endlessWhen === "parsing") spin();
  if (config.layout === "changed") otherDesign().catch(() => {});
  else draw();
  if (config.endlessMs) addEventListener("load", () => setTimeout(spin, 0));
})();
