import type { LatestValue } from "../api/types";
import { channelTitle } from "../words/device";
import { decimal } from "../words/format";
import { t } from "../words/messages";
import { isAlarm, isFault, parseQuality, qualityWords, reasonWords } from "../words/quality";
import { visible } from "../words/text";
import { Table } from "./table";

/** The newest values with their quality. */
export function LatestTable({ values }: { values: LatestValue[] }) {
  return (
    <section class="panel" aria-labelledby="latest">
      <h2 id="latest">{t("latest.title")}</h2>
      <Table label={t("latest.title")} columns={[t("table.channel"), { name: t("table.value"), class: "num" }, t("table.quality")]}>
        {values.map((v) => {
          const quality = parseQuality(v.quality);
          return (
            <tr key={v.channel_id}>
              <th scope="row">{channelTitle(v, values)}</th>
              <td class="num">{v.value === null ? "–" : `${decimal(v.value, v.decimals)} ${visible(v.unit)}`}</td>
              <td class={isAlarm(quality) ? "alarm" : isFault(quality) ? "fault" : ""}>{v.value === null ? reasonWords(quality) : qualityWords(v.quality)}</td>
            </tr>
          );
        })}
      </Table>
      {values.length === 0 && <p class="soft">{t("tile.unheard")}</p>}
    </section>
  );
}
