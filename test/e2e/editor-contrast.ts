/** Contrast of text, computed in the page itself (WCAG 2.1, success criterion 1.4.3). */

/**
 * Lines for every visible text of ours in the open forms whose contrast is below 4.5 (3 for large text).
 * Inputs, their widgets and disabled buttons are Node-RED's own or exempt.
 */
export const FAINT = `(() => {
  const THEIRS = 'select, option, .red-ui-typedInput-container, .monaco-editor, .red-ui-editor-text-container, :disabled, .disabled';
  const parse = (text) => {
    const mixed = /^color\\(srgb ([\\d.]+) ([\\d.]+) ([\\d.]+)(?: \\/ ([\\d.]+))?\\)$/.exec(text);
    if (mixed) return [mixed[1] * 255, mixed[2] * 255, mixed[3] * 255, Number(mixed[4] ?? 1)];
    const part = /^rgba?\\(([\\d.]+)[, ]+([\\d.]+)[, ]+([\\d.]+)(?:[,/ ]+([\\d.]+))?\\)$/.exec(text);
    if (!part) throw new Error('No colour that this test reads: ' + text);
    return [Number(part[1]), Number(part[2]), Number(part[3]), part[4] === undefined ? 1 : Number(part[4])];
  };
  const over = (front, back) =>
    [0, 1, 2].map((i) => front[i] * front[3] + back[i] * (1 - front[3])).concat(1);
  const ground = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      layers.push(parse(getComputedStyle(one).backgroundColor));
      if (layers.at(-1)[3] === 1) break;
    }
    return layers.reverse().reduce((back, front) => over(front, back), [255, 255, 255, 1]);
  };
  const light = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const opacity = (element) => {
    let all = 1;
    for (let one = element; one; one = one.parentElement) all *= Number(getComputedStyle(one).opacity);
    return all;
  };
  const found = [];
  for (const element of document.querySelectorAll('.hf-form *')) {
    const text = [...element.childNodes].filter((one) => one.nodeType === 3).map((one) => one.data.trim()).join('');
    const after = getComputedStyle(element, '::after').content;
    if (text === '' && (after === 'none' || after === 'normal') && !element.matches('.fa')) continue;
    if (element.closest(THEIRS) || !element.checkVisibility({ visibilityProperty: true })) continue;
    const style = getComputedStyle(element);
    if (style.clipPath !== 'none') continue;
    const back = ground(element);
    const [r, g, b, alpha] = parse(style.color);
    const lights = [light(over([r, g, b, alpha * opacity(element)], back)), light(back)].sort((a, b) => b - a);
    const ratio = (lights[0] + 0.05) / (lights[1] + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const least = large || element.matches('.fa') ? 3 : 4.5;
    if (ratio < least) {
      found.push(element.className + ' "' + text.slice(0, 30) + '": ' + ratio.toFixed(2) + ', ' + style.color + ' on ' + back.join(' '));
    }
  }
  return [...new Set(found)];
})()`;
