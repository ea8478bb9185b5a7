// Contrasts (WCAG 2.1) of what is shown: [ratio, what] of every element with text of its own, of the placeholders,
// and of the borders of what one writes in or chooses from, against what is painted inside and around.
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const pixel = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => {
    const [r, g, b] = pixel(colour).map((part) => part / 255).map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (pixel(colour)[3] === 255) return colour;
    }
    return "white";
  };
  const ratio = (one, other) => {
    const [more, less] = [light(one), light(other)].sort((a, b) => b - a);
    return (more + 0.05) / (less + 0.05);
  };
  const own = (node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
  const shown = (selector) => [...document.querySelectorAll(selector)].filter((node) => node.checkVisibility({ visibilityProperty: true }));
  const boxes = shown("textarea, select, input:not([type=hidden], [type=radio], [type=checkbox])");
  return {
    words: shown("body *").filter(own).map((node) => [ratio(getComputedStyle(node).color, behind(node)), node.textContent.slice(0, 40)]),
    placeholders: boxes.filter((node) => node.placeholder).map((node) => [ratio(getComputedStyle(node, "::placeholder").color, behind(node)), node.placeholder]),
    borders: boxes.flatMap((node) => [behind(node), behind(node.parentElement)].map((colour) => [ratio(getComputedStyle(node).borderTopColor, colour), `border of ${node.name || node.placeholder}`])),
  };
}
