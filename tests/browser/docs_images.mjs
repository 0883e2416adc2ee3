// Makes docs/images/console.jpg and console-job.jpg of a running server: the last commit's console.
//
// usage: node docs_images.mjs URL KEY FOLDER IMAGE...

import { launch, openPage, signIn } from "./browser.mjs";

const [url, key, folder, ...images] = process.argv.slice(2);
const browser = await launch();
const { page } = await openPage(browser, url, { viewport: { width: 1280, height: 900 }, colorScheme: "light", deviceScaleFactor: 1.5,
  reducedMotion: "reduce" });
const shoot = (name) => page.screenshot({ path: `${folder}/${name}.jpg`, type: "jpeg", quality: 80 });

await signIn(page, url, key);
await page.locator(".preset").first().waitFor();
await page.locator("#files").setInputFiles(images);
await page.locator(".tile .hint").nth(images.length - 1).waitFor();
await page.getByLabel("Hook").fill("Wake up to calmer skin");
await page.getByLabel("Beat 1", { exact: true }).fill("Sea fennel softens overnight");
await page.getByLabel("Call to action").fill("Meet Ondelune");
await page.getByLabel("Length").fill("9");
await page.locator(".figures dl").waitFor();
await page.locator('.stage-image img[alt^="The video at"]').waitFor({ timeout: 60_000 });
await page.evaluate(() => {
  document.activeElement.blur();
  scrollTo(0, 0);
});
await shoot("console");
await page.getByRole("button", { name: "Make the video" }).click();
await page.locator(".result video").waitFor({ timeout: 180_000 });
await page.getByRole("link", { name: "Its story" }).click();
await page.locator(".pieces .good").first().waitFor();
await page.waitForTimeout(1500);
await shoot("console-job");
await browser.close();
