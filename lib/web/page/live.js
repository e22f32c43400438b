// Follows the log of a run. The page can be read without it, and loaded again.
"use strict";
const log = document.querySelector("[data-live]");
const most = 5000; // lines on the page

function append(line) {
	const row = document.createElement("span");
	row.className = ("l " + line.Class).trim();
	if (number) {
		const link = document.createElement("a");
		row.id = "L" + ++number;
		link.href = "#L" + number;
		link.textContent = number;
		row.append(link);
	}
	for (const part of line.Spans || []) {
		const span = document.createElement("span");
		span.className = part.Class;
		span.textContent = part.Text;
		row.append(span);
	}
	row.append("\n");
	log.append(row);
	if (log.childElementCount > most) log.firstElementChild.remove();
}

let number = Number(log.dataset.lines);
const source = new EventSource(log.dataset.live);
source.onmessage = (event) => {
	const page = document.scrollingElement;
	const atEnd = page.scrollHeight - page.scrollTop - page.clientHeight < 40;
	const boxEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
	JSON.parse(event.data).forEach(append);
	if (number && atEnd) page.scrollTop = page.scrollHeight;
	if (boxEnd) log.scrollTop = log.scrollHeight;
};
source.addEventListener("end", () => {
	source.close();
	location.reload();
});
