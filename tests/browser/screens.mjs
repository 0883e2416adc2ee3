// Screenshots of every view, at three widths and in both themes.
//
// usage: node screens.mjs URL KEY FOLDER [IMAGE...]

import { launch, openPage, signIn } from "./browser.mjs";
import { busyFleet, busyWebhooks } from "./busy_fleet.mjs";

const [url, key, folder, ...images] = process.argv.slice(2);
const WIDTHS = [360, 768, 1280];

const browser = await launch();
for (const colorScheme of ["light", "dark"]) {
  const { context, page, complaints } = await openPage(browser, url, { colorScheme, reducedMotion: "reduce" });
  const shoot = async (name) => {
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: width === 360 ? 740 : 900 });
      await page.evaluate(() => {
        document.activeElement?.blur();
        scrollTo(0, 0);
      });
      await page.waitForTimeout(250);
      await page.screenshot({ path: `${folder}/${name}-${colorScheme}-${width}.png`, fullPage: true });
    }
    await page.setViewportSize({ width: 1440, height: 900 });
  };
  await page.goto(url);
  await page.getByLabel("API key").waitFor();
  await shoot("sign-in");
  await signIn(page, url, key);
  await page.locator(".preset").first().waitFor();
  if (images.length) {
    await page.locator("#files").setInputFiles(images);
    await page.getByLabel("Hook").fill("Wake up to calmer skin");
    await page.getByLabel("Beat 1", { exact: true }).fill("Sea fennel softens overnight");
    await page.getByLabel("Call to action").fill("Meet Ondelune");
  }
  await page.locator(".figures dl").waitFor();
  await page.waitForTimeout(1500);
  await shoot("make");
  await page.goto(`${url}#/jobs`);
  await page.locator(".job, .empty p").first().waitFor();
  await page.waitForTimeout(800);
  await shoot("jobs");
  const first = page.locator(".job:has(.pill.good)").first();
  if (await first.count()) {
    await first.click();
    await page.locator(".pieces").waitFor();
    await page.waitForTimeout(1000);
    await shoot("job");
  }
  await page.goto(`${url}#/usage`);
  await page.locator(".bars").first().waitFor();
  await shoot("usage");
  await page.goto(`${url}#/keys`);
  await page.locator(".checks").waitFor();
  await shoot("keys");
  await page.goto(`${url}#/operator`);
  await page.locator(".numbers").waitFor();
  await page.waitForTimeout(300);
  await shoot("operator");
  await page.route("**/api/v1/admin/capacity", (route) => route.fulfill({ json: busyFleet }));
  await page.route("**/api/v1/admin/webhooks*", (route) => route.fulfill({ json: busyWebhooks }));
  await page.locator(".gpu").first().waitFor();
  await page.waitForTimeout(5000);
  await shoot("operator-busy");
  if (complaints.length) throw new Error(complaints.join("\n"));
  await context.close();
}
await browser.close();
